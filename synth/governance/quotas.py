"""Quotas: how many images one user may ask for in an hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from synth.errors import QuotaUsedUp

HOUR = timedelta(hours=1)


def require_room(user: str, asked: Sequence[datetime], count: int, limit: int) -> None:
    """Pass `count` more images for a user who asked for others at these times, oldest first, within the last hour.

    Raises QuotaUsedUp saying when it is possible again.
    """
    if count > limit:
        raise QuotaUsedUp(f"{count} images were asked for at once; {user} may ask for {limit} an hour.")
    excess = len(asked) + count - limit
    if excess > 0:
        again = (asked[excess - 1] + HOUR).strftime("%H:%M:%S UTC")
        raise QuotaUsedUp(
            f"{user} has asked for {len(asked)} images in the last hour and may ask for {limit}; "
            f"{count} more can be asked for at {again}."
        )
