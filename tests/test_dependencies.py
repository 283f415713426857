"""What we stand on, checked without a network: versions that fit each other, and licences that may be used.

Known vulnerabilities need a network: docs/access.md gives the command.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

# Permissive licences, and weak copyleft that asks nothing of a program which only imports.
ALLOWED = re.compile(
    r"apache|\bmit\b|\bbsd\b|\bisc\b|\bpsf\b|python software foundation|\bhpnd\b|historical permission|\bzlib\b|\bmpl"
    r"|mozilla public|\blgpl|lesser general public|unlicense",
    re.IGNORECASE,
)
REFUSED = re.compile(r"(?<!l)(?<!lesser )\b(?:a?gpl|(?:gnu )?(?:affero )?general public)", re.IGNORECASE)
# Named exceptions: what the metadata does not say, or says with more words than these.
KNOWN = {
    "pylibjpeg-libjpeg": "GPL-3.0: decodes JPEG-LS and lossless JPEG; an optional plug-in of pydicom that we install",
}


def requirements() -> list[Requirement]:
    """Those of the app and of its tests."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    return [Requirement(line) for line in [*lines, *extra["test"]] if line and not line.startswith("#")]


def problems(wanted: Requirement, by: str) -> list[str]:
    """What `pip check` would say of one requirement."""
    try:
        found = distribution(wanted.name)
    except PackageNotFoundError:
        return [f"{by} needs {wanted}, which is not installed"]
    if not wanted.specifier.contains(found.version, prereleases=True):
        return [f"{by} needs {wanted}, and {found.version} is installed"]
    return []


def needed(found: Distribution, extras: set[str]) -> list[Requirement]:
    """What a distribution asks for on this computer with these extras."""
    asked = [Requirement(text) for text in found.requires or []]
    return [one for one in asked if not one.marker or any(one.marker.evaluate({"extra": e}) for e in extras | {""})]


def licence_of(found: Distribution) -> str:
    """The licence as the metadata has it: expression, classifiers, or the first line of the free text."""
    meta = found.metadata
    classified = [line.rpartition("::")[2].strip() for line in meta.get_all("Classifier", []) if "License ::" in line]
    free = (meta.get("License") or "").strip().splitlines()[:1]
    return "; ".join(filter(None, [meta.get("License-Expression", ""), *classified, *free]))


def test_every_distribution_we_need_is_here_and_they_all_fit_each_other() -> None:
    waiting, seen, wrong = [(one, "SynthRead") for one in requirements()], set[tuple[str, str]](), list[str]()
    while waiting:
        wanted, by = waiting.pop()
        key = (canonicalize_name(wanted.name), ",".join(sorted(wanted.extras)))
        faults = problems(wanted, by)
        wrong += faults
        if key in seen or faults:
            continue
        seen.add(key)
        found = distribution(wanted.name)
        waiting += [(one, wanted.name) for one in needed(found, set(wanted.extras))]
    assert wrong == []
    assert len(seen) > len(requirements())


def test_a_missing_or_an_unfit_distribution_is_named() -> None:
    assert problems(Requirement("no-such-package>=1"), "SynthRead") == [
        "SynthRead needs no-such-package>=1, which is not installed"
    ]
    assert problems(Requirement("numpy<1"), "SynthRead")[0].startswith("SynthRead needs numpy<1, and 2.")


@pytest.mark.parametrize("wanted", requirements(), ids=lambda one: one.name)
def test_what_we_install_has_a_licence_that_may_be_used(wanted: Requirement) -> None:
    said = licence_of(distribution(wanted.name))
    if wanted.name in KNOWN:
        assert REFUSED.search(said) or not ALLOWED.search(said), f"{wanted.name} needs no exception any more"
    else:
        assert ALLOWED.search(said) and not REFUSED.search(said), f"{wanted.name}: {said!r}"


def test_the_exceptions_are_still_installed() -> None:
    assert set(KNOWN) <= {one.name for one in requirements()}
