"""The reading room on PostgreSQL: many readers at the same moment, and every rule of what counts.

The fixture `store` of this folder takes the place of the SQLite one.
"""

from __future__ import annotations

import pytest

from tests.store.test_casebook import *  # noqa: F403
from tests.store.test_sittings import *  # noqa: F403
from tests.store.test_sittings_at_once import *  # noqa: F403

pytestmark = pytest.mark.server
