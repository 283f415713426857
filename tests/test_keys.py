"""Secrets are made once, for their owner only, and never silently replaced."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from synth import keys
from synth.errors import StoreError


def test_a_secret_is_for_its_owner_only_and_stays(tmp_path: Path) -> None:
    home = tmp_path / "new"
    first = keys.secret(home, "some.key")
    assert (len(first), keys.secret(home, "some.key")) == (32, first)
    assert keys.secret(home, "other.key") != first
    assert stat.S_IMODE(os.stat(home / "some.key").st_mode) == 0o600
    assert sorted(path.name for path in home.iterdir()) == ["other.key", "some.key"]


def test_many_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: keys.secret(tmp_path, "some.key"), range(64)))) == 1


def test_a_cut_secret_is_told_and_kept(tmp_path: Path) -> None:
    (tmp_path / "some.key").write_bytes(b"short")
    with pytest.raises(StoreError) as refused:
        keys.secret(tmp_path, "some.key")
    assert str(refused.value) == "The key some.key has 5 bytes, not 32; restore it from a copy."
    assert (tmp_path / "some.key").read_bytes() == b"short"


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"^The key some\.key cannot be read or made in .*: (Not a dir|File ex)"):
        keys.secret(tmp_path / "file", "some.key")


def test_keys_that_were_in_use_before_are_still_known(tmp_path: Path) -> None:
    assert keys.retired(tmp_path, keys.WATERMARK) == []
    keys.secret(tmp_path, keys.WATERMARK)
    for name in ("watermark.2025.key", "watermark.2024.key", "blind.2024.key"):
        (tmp_path / name).write_bytes(name.encode())
    assert keys.retired(tmp_path, keys.WATERMARK) == [b"watermark.2024.key", b"watermark.2025.key"]
