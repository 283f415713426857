"""The house itself: what lies at the top, how long things may grow, what the README promises, what must never be in."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

TOP = {
    ".ci", ".gitignore", ".streamlit", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "app.py", "assets", "bench",
    "docs", "pages", "pyproject.toml", "requirements.txt", "synth", "tests",
}  # fmt: skip

PAGE_LINES = 120
MODULE_LINES = 300
FUNCTION_LINES = 40
LONG_FUNCTION_LINES = 60  # samplers and the making of a picture read best in one piece
LONG_FUNCTIONS = ("synth/generate.py", "synth/diffusion/sampler.py", "synth/store/schema/versions/")  # tables are lists
PARAMETERS = 7
FILE_BYTES = 45 * 2**20

TEXT = {".py", ".md", ".toml", ".txt", ".css", ".json", ".js", ".yml", ""}
PATHS = re.compile(r"(?<![\w.}])/(?:home|root|Users|work|mnt|tmp)/\w")
REGISTRIES = re.compile(r"(index-url|find-links|files\.pythonhosted|download\.pytorch)")


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> Iterator[tuple[str, str]]:
    for path in tracked():
        if path.suffix in TEXT and path.stat().st_size < 2**20:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def house() -> Iterator[tuple[str, str]]:
    """Name and text of every module of the app."""
    for path in [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "synth").rglob("*.py")]:
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def functions() -> Iterator[tuple[str, str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for name, text in house():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield name, f"{name}:{node.lineno} {node.name}", node


def test_nothing_new_lies_at_the_top() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP


def test_pages_and_modules_stay_short() -> None:
    limits = {"app.py": 40, "pages": PAGE_LINES, "synth": MODULE_LINES}
    long = [f"{name}: {lines}" for name, text in house() if (lines := text.count("\n")) > limits[name.split("/")[0]]]
    assert long == []


def test_functions_stay_short() -> None:
    long = [
        f"{where}: {lines} lines"
        for name, where, node in functions()
        if (lines := (node.end_lineno or 0) - node.lineno + 1)
        > (LONG_FUNCTION_LINES if name.startswith(LONG_FUNCTIONS) else FUNCTION_LINES)
    ]
    assert long == []


def test_functions_take_few_parameters() -> None:
    wide = []
    for _, where, node in functions():
        names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        if len([name for name in names if name not in ("self", "cls")]) > PARAMETERS:
            wide.append(where)
    assert wide == []


def test_no_error_is_swallowed() -> None:
    """Whoever catches everything does something with it: a handler that only passes on without a look is refused."""
    swallowed = [
        f"{name}:{node.lineno}"
        for name, text in house()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException"))
        and all(isinstance(step, ast.Pass | ast.Continue | ast.Return) for step in node.body)
        and not any(isinstance(part, ast.Name) and part.id == node.name for part in ast.walk(node))
    ]
    assert swallowed == []


def test_the_readme_is_short_and_names_the_two_commands() -> None:
    assert README.count("\n") < 150
    wanted = ("make run", "make test", "pip install -r requirements.txt", "streamlit run app.py", "docs/screenshot.png")
    assert [text for text in wanted if text not in README] == []


def test_the_readme_names_every_page() -> None:
    pages = {path.stem for path in (ROOT / "pages").glob("*.py")}
    assert {page for page in pages if f"`pages/{page}.py`" not in README} == set()


def test_the_readme_names_every_setting() -> None:
    settings = {name for _, text in house() for name in re.findall(r"\bSYNTH_[A-Z_]+\b|\bDATABASE_URL\b", text)}
    assert {name for name in settings if f"`{name}`" not in README} == set()


def test_the_readme_names_no_setting_that_nobody_reads() -> None:
    code = "".join(text for name, text in [*house(), *texts()] if name.endswith(".py") or name == ".ci/run")
    assert {name for name in re.findall(r"`(SYNTH_[A-Z_]+)`", README) if name not in code} == set()


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_changelog_is_open_for_the_next_change() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_path_of_one_machine_is_kept() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:90]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if PATHS.search(line)
    ]
    assert found == []


def test_no_registry_is_named_where_packages_are_installed() -> None:
    files = ("Makefile", ".ci/run", "requirements.txt", "pyproject.toml")
    assert [name for name in files if REGISTRIES.search((ROOT / name).read_text(encoding="utf-8"))] == []


def test_no_file_is_too_large_for_the_repository() -> None:
    assert [str(path) for path in tracked() if path.stat().st_size > FILE_BYTES] == []


def test_no_picture_but_of_the_app_is_kept() -> None:
    """Real images stay outside: only screenshots and sheets of synthetic ones, under docs and the model's folder."""
    kinds = {".png", ".jpg", ".jpeg", ".dcm", ".avif", ".webp", ".nii", ".npy", ".npz", ".parquet", ".tif"}
    names = [path.relative_to(ROOT).as_posix() for path in tracked() if path.suffix.lower() in kinds]
    assert [name for name in names if not name.startswith(("docs/", "assets/models/"))] == []


def test_weights_are_safetensors_only() -> None:
    pickles = {".bin", ".ckpt", ".pkl", ".pt", ".pth", ".pickle"}
    assert [str(path) for path in tracked() if path.suffix.lower() in pickles] == []
