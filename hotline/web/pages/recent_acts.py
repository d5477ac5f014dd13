"""The complaints that were acted on here just now: a row of one is marked until the lists hold what came of it.

Kept in this process. With several processes another one waits for the lists as every page does, and marks nothing.
"""

from __future__ import annotations

import time
from typing import Final

KEPT_SECONDS: Final = 60.0
"""Lists that are further behind say so themselves."""
KEPT_MAX: Final = 10_000


class RecentActs:
    """See the module."""

    def __init__(self) -> None:
        """Nobody has acted."""
        self._at: dict[str, float] = {}

    def remember(self, complaint_id: str) -> None:
        """This complaint was acted on now."""
        now = time.monotonic()
        if len(self._at) >= KEPT_MAX:
            self._at = {one: at for one, at in self._at.items() if now - at < KEPT_SECONDS}
        self._at[complaint_id] = now

    def since(self, seconds: float) -> frozenset[str]:
        """The complaints that were acted on within so many seconds: a list that is so far behind may not hold them."""
        begin = time.monotonic() - min(seconds, KEPT_SECONDS)
        return frozenset(one for one, at in self._at.items() if at >= begin)
