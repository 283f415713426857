"""`python -m synth.people`: the first administrator, and the way back in."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.people.__main__ import main

PHRASE = "a long harmless phrase"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SYNTH_HOME", str(tmp_path))
    return tmp_path


def test_the_first_administrator_is_made_from_the_environment_or_a_file(
    monkeypatch: pytest.MonkeyPatch, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNTH_PASSWORD", PHRASE)
    assert main(["add", "ada", "--role", "administrator", "--role", "educator"]) == 0
    (home / "password").write_text(PHRASE + "\n")
    monkeypatch.setenv("SYNTH_PASSWORD_FILE", str(home / "password"))
    assert main(["add", "Tom", "--role", "trainee", "--group", "year one"]) == 0
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ada can sign in.",
        "Tom can sign in.",
        "ada: administrator, educator",
        "tom: trainee",
    ]
    assert (home / "accounts.key").stat().st_mode & 0o777 == 0o600


def test_a_password_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    typed = iter([PHRASE, "another harmless phrase", PHRASE, PHRASE])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    assert main(["add", "ada", "--role", "administrator"]) == 1
    assert main(["add", "ada", "--role", "administrator"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("ada can sign in.\n", "The two passwords differ.\n")


def test_what_cannot_be_done_is_one_sentence_and_no_password_is_an_argument(
    monkeypatch: pytest.MonkeyPatch, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNTH_PASSWORD", "short")
    assert main(["add", "ada", "--role", "administrator"]) == 1
    assert main(["reset", "nobody"]) == 1
    monkeypatch.setenv("SYNTH_PASSWORD_FILE", str(home / "missing"))
    assert main(["add", "ada", "--role", "administrator"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [
        "The password has 5 characters; at least 12 are needed.",
        "There is no account 'nobody'.",
    ]
    assert lines[2].startswith("SYNTH_PASSWORD_FILE ")
    with pytest.raises(SystemExit):
        main(["add", "ada", "--role", "administrator", "--password", PHRASE])


def test_a_reset_prints_a_password_and_the_last_administrator_remains(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNTH_PASSWORD", PHRASE)
    main(["add", "ada", "--role", "administrator"])
    assert main(["reset", "ada"]) == 0
    assert main(["disable", "ada"]) == 1
    assert main(["unlock", "ada"]) == 0
    said = capsys.readouterr()
    assert "One-time password of ada: " in said.out
    assert said.err == "ada is the last administrator; make another one first.\n"
