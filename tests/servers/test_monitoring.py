"""Monitoring on PostgreSQL: the same counts, days in UTC, and references.

The fixture `store` of this folder takes the place of the SQLite one.
"""

from __future__ import annotations

import pytest

from tests.store.test_figures import *  # noqa: F403
from tests.store.test_model_register import *  # noqa: F403
from tests.store.test_references import *  # noqa: F403

pytestmark = pytest.mark.server
