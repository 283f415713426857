"""The audit trail on PostgreSQL. The fixtures `urls` and `store` of this folder take the place of the SQLite ones."""

from __future__ import annotations

import pytest

from synth import audit
from synth.errors import StoreError
from synth.store import Store
from synth.store.database import DatabaseAsItIs
from synth.store.trail import Trail
from tests.governance.chains import event
from tests.store.test_trail import *  # noqa: F403

pytestmark = pytest.mark.server


def test_the_command_verifies_without_writing(
    store: Store, urls: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    store.add_event(event(1))
    assert audit.main(["verify", "--database", urls[0]]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "Valid: all 1 rows are as they were written."
    database = DatabaseAsItIs(urls[0])
    with pytest.raises(StoreError, match="read-only transaction"):
        Trail(database).add(event(2))
    database.close()
