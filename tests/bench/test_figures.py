"""The measurement of monitoring runs as the README says, on fewer images."""

from __future__ import annotations

import pytest

from bench import figures
from synth.governance.drift import IMAGES


def test_every_question_has_its_time(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    figures.main(["--images", str(4 * IMAGES)])
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "one day", "90 days", "totals of a scrape", "kinds", "chart of drift", "unseen images",
    ]  # fmt: skip
    assert all(f"({4 * IMAGES} images)" in line for line in told)
