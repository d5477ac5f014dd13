"""The processes of a peer: started, told to live lives, and killed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec

from hotline.lab.bench.meter import Spent
from hotline.lab.bench.peer import Body, PeerOrders, ReadBack
from shared.runtime.errors import UserError

AT_ONCE: Final = 8
"""Lives under way at once in each: so that a commit's wait for the disk is another life's work."""


class PeerLived(msgspec.Struct, frozen=True, kw_only=True):
    """One measured run of one peer."""

    lives: int
    """Those that were measured, after those that warm up."""
    checked: int
    """All that were read back, the warm-up too."""
    spent: Spent
    memory_bytes: int
    """Of its processes together."""
    wrong: list[str]


class Children:
    """The processes of a peer at work."""

    def __init__(self, name: str) -> None:
        """None is started yet."""
        self._name = name
        self._all: list[asyncio.subprocess.Process] = []

    async def start(self, module: str, orders: PeerOrders) -> None:
        """Start one more, and wait until it is ready: the first makes the tables."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**20,
        )
        self._all.append(child)
        self._tell(child, msgspec.json.encode(orders))
        await self._says(child, "ready")

    def pids(self) -> dict[str, int]:
        """Their process ids by name."""
        return {f"{self._name} {number}": child.pid for number, child in enumerate(self._all, 1)}

    async def live(self, lives: int) -> None:
        """Live so many lives, shared evenly."""
        for number, child in enumerate(self._all):
            share = (lives + number) // len(self._all)
            self._tell(child, str(share).encode())
        await asyncio.gather(*(self._says(child, "done") for child in self._all))

    async def found(self) -> list[ReadBack]:
        """The findings of each process about its lives."""
        for child in self._all:
            self._tell(child, b"check")
        return [
            msgspec.json.decode(line, type=ReadBack)
            for line in await asyncio.gather(*(self._line(child) for child in self._all))
        ]

    async def kill(self) -> None:
        """End them."""
        for child in self._all:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    def _tell(self, child: asyncio.subprocess.Process, line: bytes) -> None:
        assert child.stdin is not None  # noqa: S101 -- it was asked for
        child.stdin.write(line + b"\n")

    async def _line(self, child: asyncio.subprocess.Process) -> str:
        assert child.stdout is not None  # noqa: S101 -- it was asked for
        try:
            async with asyncio.timeout(SECONDS_MAX):
                line = await child.stdout.readline()
        except TimeoutError:
            raise UserError(f"{self._name} has said nothing for {SECONDS_MAX:.0f} s.") from None
        if not line:
            raise UserError(f"{self._name} ended early; what it said stands above.")
        return line.decode().strip()

    async def _says(self, child: asyncio.subprocess.Process, word: str) -> None:
        line = await self._line(child)
        if line != word:
            raise UserError(f"{self._name} said '{line}' instead of '{word}'.")


@asynccontextmanager
async def started(name: str, module: str, postgres: str, models: list[list[Body]]) -> AsyncIterator[Children]:
    """The processes of the peer of this name, ready to live lives of these models; they end with the block."""
    children = Children(name)
    try:
        for number in range(PROCESSES):
            await children.start(
                module, PeerOrders(number=number, postgres=postgres, lives=models, at_once=AT_ONCE)
            )
        yield children
    finally:
        await children.kill()


PROCESSES: Final = 4
"""As many as we have desks; the machine has fewer cores."""
SECONDS_MAX: Final = 900.0
