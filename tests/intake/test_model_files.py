"""Files of a model against its card: the same, changed, or gone."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from synth.intake.model_files import Checked, ModelFiles


def test_each_file_is_compared_with_its_hash(tmp_path: Path) -> None:
    good, bad = hashlib.sha256(b"good").hexdigest(), hashlib.sha256(b"bad").hexdigest()
    (tmp_path / "a").write_bytes(b"good")
    (tmp_path / "b").write_bytes(b"bad")
    files = ModelFiles()
    assert (files.result(tmp_path), files.running(tmp_path)) == (None, False)
    files.check(tmp_path, {"c": good, "a": good, "b": good})
    until = time.monotonic() + 10
    while files.running(tmp_path):
        assert time.monotonic() < until
        time.sleep(0.01)
    found = files.result(tmp_path)
    assert found == (Checked("a", good, good), Checked("b", good, bad), Checked("c", good, ""))
    assert [one.same for one in found] == [True, False, False]
