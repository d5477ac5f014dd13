"""Says what is waited for, while it is: whoever reads no live table must not think that nothing happens."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

LINE_SECONDS: Final = 15.0
"""How often a line says what is waited for."""


@asynccontextmanager
async def told_meanwhile(
    say: Callable[[str], None], what: Callable[[], str], *, every_seconds: float = LINE_SECONDS
) -> AsyncIterator[None]:
    """Say `what` is waited for and since when, every so often as long as the body lasts; empty says nothing."""

    async def tell() -> None:
        waited_seconds = 0.0
        while True:
            await asyncio.sleep(every_seconds)
            waited_seconds += every_seconds
            if text := what():
                say(f"{text}, {waited_seconds:.0f} s so far")

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
