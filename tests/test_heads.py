"""Signed heads outside the database: written when the trail has grown, by several servers, torn by no crash."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth import heads
from synth.errors import RequestError
from synth.governance.heads import Head, new_key, private_key, public_pem
from synth.heads import Heads
from synth.store import Store
from tests.governance.chains import event, head_of, trail
from tests.painting import until
from tests.sittings import at_once

FILE = "heads.jsonl"
BROKEN = b"-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----\n"


@pytest.fixture
def signer(store: Store, tmp_path: Path) -> Iterator[Heads]:
    """Signs when it is told to, having found nothing to sign at its start."""
    made = Heads(store.trail, tmp_path, tmp_path / FILE, 1_000)
    yield made
    made.close()


def verdict_of(store: Store, home: Path) -> tuple[int | None, str, int]:
    found, _ = heads.read(home / FILE)
    judged = heads.verified(store.trail, found, heads.read_keys(home / heads.PUBLIC))
    return judged.row, judged.problem, len(found)


def test_a_head_is_written_when_the_trail_has_grown_and_only_then(store: Store, signer: Heads, tmp_path: Path) -> None:
    assert (signer.sign(), (tmp_path / FILE).exists()) == (None, False)
    store.add_event(event(1))
    store.add_event(event(2))

    head = signer.sign()

    tip = store.trail.tip()
    assert head is not None and tip is not None and (head.seq, head.hash) == (2, tip.hash)
    assert (signer.sign(), signer.problem) == (None, "")
    assert (tmp_path / FILE).read_text() == head.line() + "\n"
    assert heads.read(tmp_path / FILE) == ([head], 0)
    assert verdict_of(store, tmp_path) == (None, "", 1)


def test_it_signs_at_the_start_on_its_schedule_and_at_the_end(store: Store, tmp_path: Path) -> None:
    def last() -> int:
        return max((head.seq for head in heads.read(tmp_path / FILE)[0]), default=0)

    store.add_event(event(1))
    signer = Heads(store.trail, tmp_path, tmp_path / FILE, 0.05 / 60)
    until(lambda: last() == 1)
    store.add_event(event(2))
    until(lambda: last() == 2)
    signer.close()
    store.add_event(event(3))
    Heads(store.trail, tmp_path, tmp_path / FILE, 1_000).close()
    assert last() == 3


def test_the_private_key_is_for_its_owner_and_the_public_one_is_enough_to_verify(
    store: Store, signer: Heads, tmp_path: Path
) -> None:
    store.add_event(event(1))
    signer.sign()
    assert stat.S_IMODE(os.stat(tmp_path / "audit.key").st_mode) == 0o600
    key = private_key((tmp_path / "audit.key").read_bytes())
    assert (tmp_path / "audit.pub").read_bytes() == public_pem(key)
    assert b"PRIVATE" not in (tmp_path / "audit.pub").read_bytes()


def test_heads_of_an_old_key_stay_valid_after_a_change_of_keys(store: Store, signer: Heads, tmp_path: Path) -> None:
    for number in (1, 2):
        store.add_event(event(number))
        assert signer.sign() is not None
        (tmp_path / "audit.key").unlink()
    assert len(heads.read_keys(tmp_path / "audit.pub")) == 2
    assert verdict_of(store, tmp_path) == (None, "", 2)


def test_several_servers_share_one_file(store: Store, tmp_path: Path) -> None:
    signers = [Heads(store.trail, tmp_path, tmp_path / FILE, 1_000) for _ in range(4)]

    def work(number: int) -> None:
        for _ in range(10):
            store.add_event(event(number))
            signers[number].sign()

    at_once(work, 4)
    for signer in signers:
        signer.close()
    found, unreadable = heads.read(tmp_path / FILE)
    assert (unreadable, max(head.seq for head in found), len({head.key for head in found})) == (0, 40, 1)
    assert verdict_of(store, tmp_path) == (None, "", len(found))


def test_a_line_that_a_power_cut_tore_spoils_no_other(store: Store, signer: Heads, tmp_path: Path) -> None:
    store.add_event(event(1))
    signer.sign()
    with (tmp_path / FILE).open("a") as file:
        file.write('{"at":"2026-05')
    store.add_event(event(2))
    signer.sign()
    found, unreadable = heads.read(tmp_path / FILE)
    assert ([head.seq for head in found], unreadable) == ([1, 2], 1)


def test_a_trail_that_ends_before_its_last_head_is_not_signed_again(
    store: Store, signer: Heads, tmp_path: Path
) -> None:
    store.add_event(event(1))
    longer = head_of(trail(5)[4])
    (tmp_path / FILE).write_text(longer.line() + "\n")
    assert signer.sign() is None
    assert signer.problem == (
        f"The audit trail could not be signed: it ends after row 1, but row 5 was signed at {longer.at}."
    )
    assert heads.read(tmp_path / FILE) == ([longer], 0)


def test_a_folder_that_cannot_be_written_is_told_and_work_goes_on(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    signer = Heads(store.trail, tmp_path, tmp_path / "file" / FILE, 1_000)
    store.add_event(event(1))
    assert signer.sign() is None
    assert signer.problem.startswith("The audit trail could not be signed: ")
    signer.close()


@pytest.mark.parametrize("pem", [b"", b"none", new_key(), BROKEN])
def test_a_file_that_holds_no_public_key_is_refused_in_one_sentence(pem: bytes, tmp_path: Path) -> None:
    (tmp_path / "some.pub").write_bytes(pem)
    with pytest.raises(RequestError, match=r"public key.* Ed25519 key in PEM\.$"):
        heads.read_keys(tmp_path / "some.pub")


@pytest.mark.parametrize("pem", [b"", b"none", public_pem(private_key(new_key()))])
def test_a_file_that_holds_no_private_key_is_refused_in_one_sentence(pem: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        private_key(pem)
    assert str(refused.value) == "The key of the audit trail cannot be read; it must be an Ed25519 key in PEM."


@pytest.mark.parametrize("line", ["{}", "[]", "7", '{"seq":"1","hash":"","at":"","key":"","signature":""}', "{"])
def test_a_line_that_is_no_head_is_counted(line: str, tmp_path: Path) -> None:
    whole = Head(1, "a", "b", "c", "d")
    (tmp_path / FILE).write_text(f"{line}\n\n{whole.line()}\n")
    assert heads.read(tmp_path / FILE) == ([whole], 1)


def test_the_file_lies_in_the_home_unless_the_rules_say_where(tmp_path: Path) -> None:
    assert heads.place(tmp_path, "") == tmp_path / "audit-heads.jsonl"
    assert heads.place(tmp_path, "log/heads") == tmp_path / "log" / "heads"
    assert heads.place(tmp_path, "/srv/heads") == Path("/srv/heads")
