"""Release states, reviews and protocols on PostgreSQL.

The fixture `store` of this folder takes the place of the SQLite one.
"""

from __future__ import annotations

import pytest

from tests.store.test_validation import *  # noqa: F403

pytestmark = pytest.mark.server
