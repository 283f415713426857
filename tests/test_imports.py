"""Who may import whom: arrows point downwards only, and each package knows only its own libraries."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LAYERS = (
    {"synth", "types", "terms", "origins", "errors", "config", "findings"},
    {"prompts", "captions", "masks", "close_up", "strokes", "translation", "imaging", "quality", "baselines"}
    | {"diffusion", "dicom", "provenance", "reading", "governance"},
    {"generate", "restoration", "store", "models", "library", "export", "results", "keys", "home"},
    {"engine", "batch", "monitor", "training", "evaluation", "casework", "intake"}
    | {"heads", "audit", "recreate", "research", "people", "meter"}
    | {"departures", "verify"},
    {"ui"},
    {"app", "pages"},
)
LAYER = {name: level for level, names in enumerate(LAYERS) for name in names}

# Within a layer packages do not know each other, but for these. In layer 0 they may.
SIDEWAYS = {
    ("prompts", "captions"),
    ("prompts", "close_up"),  # magnified pictures have captions of their own
    ("close_up", "masks"),
    ("translation", "masks"),  # where the head is
    ("evaluation", "training"),  # looks for copies of the training pictures
    ("dicom", "imaging"),
    ("provenance", "imaging"),  # the base picture in a manifest
    ("intake", "departures"),  # what is sent leaves as every file does
    ("reading", "prompts"),  # reports are read by the words and rules of the prompts
    ("reading", "masks"),  # a point near a lesion hits it
    ("intake", "engine"),  # vectors are computed while nobody waits for an image
    ("casework", "engine"),  # cases are drawn in the background
    ("audit", "heads"),  # the command reads what the server signs
    ("recreate", "engine"),  # a stored request is drawn once more
    ("recreate", "meter"),
    ("research", "engine"),
    ("research", "meter"),  # research is drawn under a protocol, and counts
    ("meter", "engine"),  # what is asked for is counted first
    ("generate", "restoration"),  # one of the ways a picture is made
}

LIBRARIES = {
    "terms": set(),
    "origins": set(),
    "types": {"numpy"},
    "imaging": {"numpy", "PIL", "scipy"},
    "masks": {"numpy", "scipy"},
    "close_up": {"numpy"},
    "translation": {"numpy"},
    "strokes": {"numpy", "PIL"},
    "baselines": {"numpy", "skimage"},
    "quality": {"numpy"},
    "reading": {"fsrs", "numpy", "scipy"},
    "diffusion": {"torch", "numpy"},
    "dicom": {"numpy", "scipy", "pydicom", "highdicom", "dicomanonymizer", "PIL"},
    "governance": {"numpy", "argon2", "cryptography", "pyotp"},
    "provenance": {"numpy", "scipy", "PIL", "c2pa", "cryptography", "pydicom"},
    "generate": {"torch", "numpy"},
    "restoration": {"torch", "numpy"},
    "store": {"numpy", "sqlalchemy", "alembic", "fsspec", "PIL"},
    "models": {"torch", "numpy", "diffusers", "transformers", "safetensors", "huggingface_hub", "yaml"},
    "library": {
        "numpy", "PIL", "pydicom", "nibabel", "pynetdicom", "dicomweb_client", "requests", "duckdb", "s3fs",
        "botocore", "pandas",
    },
    "engine": {"numpy"},
    "casework": {"numpy"},
    "recreate": {"numpy"},
    "departures": {"PIL"},
    "verify": {"numpy", "PIL", "scipy", "pypdf"},
    "people": set(),
    "meter": set(),
    "intake": {"numpy", "loky"},
    "export": {"numpy", "reportlab", "pyarrow"},
    "training": {
        "torch", "numpy", "scipy", "diffusers", "transformers", "safetensors", "accelerate", "pyarrow", "PIL",
    },
    "evaluation": {"torch", "numpy", "scipy", "skimage", "PIL", "pydicom"},
    "ui": {"streamlit", "streamlit_drawable_canvas", "plotly", "numpy", "pandas", "starlette", "prometheus_client"},
    "app": {"streamlit"},
    "pages": {"streamlit", "plotly", "numpy", "pandas"},
}  # fmt: skip

# Layer 1 is pure: no file, no network, no clock, no thread.
EFFECTS = {"os", "pathlib", "shutil", "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib"}

PACKAGE_OF = {
    "PIL": "pillow",
    "argon2": "argon2-cffi",
    "botocore": "s3fs",
    "c2pa": "c2pa-python",
    "dicomanonymizer": "dicom-anonymizer",
    "dicomweb_client": "dicomweb-client",
    "huggingface_hub": "huggingface-hub",
    "duckdb": "idc-index",  # which brings it and the index
    "prometheus_client": "prometheus-client",
    "skimage": "scikit-image",
    "sqlalchemy": "SQLAlchemy",
    "starlette": "streamlit",  # which brings it
    "streamlit_drawable_canvas": "streamlit-drawable-canvas",
    "yaml": "huggingface-hub",  # which brings it
}


def sources() -> list[Path]:
    return [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted((ROOT / "synth").rglob("*.py"))]


def place(path: Path) -> str:
    """The part of the house that a file belongs to: "store" for synth/store/tables.py, "pages", "app"."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] != "synth" else "synth" if parts[1] == "__init__" else parts[1]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, also of those inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            if node.module == "synth":
                yield from ((node.lineno, f"synth.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, str(node.module)


def arrows() -> Iterator[tuple[str, str, str]]:
    """(where, importing part, imported part) of every import inside the house."""
    for path in sources():
        for line, name in imported(path):
            if name.split(".")[0] == "synth":
                target = name.split(".")[1] if "." in name else "synth"
                yield f"{path.relative_to(ROOT)}:{line}", place(path), "synth" if target == "__version__" else target


def libraries() -> Iterator[tuple[str, str, str]]:
    """(where, importing part, library) of every import from outside the standard library and the house."""
    for path in sources():
        for line, name in imported(path):
            top = name.split(".")[0]
            if top != "synth" and top not in sys.stdlib_module_names:
                yield f"{path.relative_to(ROOT)}:{line}", place(path), top


def test_every_module_has_its_layer() -> None:
    assert {place(path) for path in sources()} <= set(LAYER)


def test_imports_point_downwards() -> None:
    upwards = [f"{at}: {a} imports {b}" for at, a, b in arrows() if LAYER.get(b, 99) > LAYER[a]]
    assert upwards == []


def test_neighbours_in_a_layer_do_not_know_each_other() -> None:
    sideways = [
        f"{at}: {a} imports {b}"
        for at, a, b in arrows()
        if a != b and LAYER[a] == LAYER.get(b) > 0 and (a, b) not in SIDEWAYS
    ]
    assert sideways == []


def test_each_part_uses_only_its_own_libraries() -> None:
    foreign = [f"{at}: {a} uses {name}" for at, a, name in libraries() if name not in LIBRARIES.get(a, set())]
    assert foreign == []


def test_the_middle_is_pure() -> None:
    effects = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sources()
        if LAYER[place(path)] == 1
        for line, name in imported(path)
        if name.split(".")[0] in EFFECTS
    ]
    assert effects == []


def test_pages_do_not_reach_below_the_services() -> None:
    hidden = {"diffusion", "store", "models", "training", "generate"}
    reached = [f"{at}: {a} imports {b}" for at, a, b in arrows() if a in ("pages", "app") and b in hidden]
    assert reached == []


def test_painted_lesions_are_for_training_alone() -> None:
    """What the user gets is drawn by the network: nothing but the training may import what simulates lesions."""
    users = {
        place(path)
        for path in sources()
        for _, name in imported(path)
        if re.match(r"synth\.training\.lesions|synth\.training\.lesion_(?!chest)", name)
    }
    assert users == {"training"}


def test_every_library_in_use_is_in_the_requirements() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    named = {re.split(r"[\[<>=~! ]", line)[0] for line in text.splitlines() if line and not line.startswith("#")}
    missing = {name for _, _, name in libraries() if PACKAGE_OF.get(name, name) not in named}
    assert missing == set()


def test_torch_comes_first_and_is_pinned() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "torch==2.13.0"


@pytest.mark.parametrize(
    "module", ["synth.engine", "synth.store", "synth.ui.resources", "synth.prompts", "synth.casework.maker"]
)
def test_pages_that_draw_nothing_start_without_torch(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'torch', 'diffusers', 'transformers'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_pages_reach_services_only_under_guard() -> None:
    """`house` holds the services themselves; everything that a visitor starts goes through `resources`."""
    may = {"resources", "session", "sign_in", "server"}
    for path in [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "synth" / "ui").glob("*.py")]:
        imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        names = {alias.name for node in imports if node.module == "synth.ui" for alias in node.names}
        modules = {node.module for node in imports}
        assert path.stem in may or not ("house" in names or "synth.ui.house" in modules), path.name
