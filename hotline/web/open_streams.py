"""The streams of the process: counted, and ended when it stops."""

from __future__ import annotations

import asyncio
from typing import Final


class OpenStreams:
    """The streams of a process: so many at most, and all of them end when it stops."""

    def __init__(self) -> None:
        """None yet."""
        self.stop: Final = asyncio.Event()
        self.open = 0
