"""The wire between a process and a server: a TCP relay on loopback that can be cut, slowed, and broken in a commit.

All wires of a run live in one thread with a loop of its own. So they do not slow a city that works beside
them.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, Literal, Self, TypeVar

from deploy.embedded.child import LOOPBACK

T = TypeVar("T")

CHUNK_BYTES: Final = 64 * 1024
UNDER_WAY_MAX: Final = 256
"""Chunks that may be under way in one direction while the wire is slow."""
_RESET: Final = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing tells the other side of a reset, not of an end."""

_SSL_REQUEST: Final = (80877103).to_bytes(4)

Break = Literal["unsaid", "unheard"]
"""How a commit fails: it never reached the server, or it did and nobody heard the answer."""


class Wire:
    """One listening port that leads to one server. Its switches may be set from any thread."""

    def __init__(self, name: str, target: int, *, port: int = 0, commits: bool = False) -> None:
        """`target`: the server's port; `port`: ours, any free one if 0; `commits`: PostgreSQL is spoken."""
        self.name = name
        self.port = port
        self.commits = commits
        self.delay_seconds = 0.0
        """The delay of every chunk in each direction."""
        self.is_cut = False
        """Nobody gets through, and nobody is told."""
        self.breaks: Break | None = None
        """The next commit fails like this, once."""
        self.broken = threading.Event()
        """It has."""
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.WriteTransport] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def address(self) -> str:
        """`host:port`, once it is open."""
        return f"{LOOPBACK}:{self.port}"

    async def open(self) -> None:
        """Listen on a free port."""
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._connected, LOOPBACK, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and hang up."""
        if self._server is not None:
            self._server.close()
        self._hang_up()

    def cut(self) -> None:
        """Hang up on everybody, and on whoever calls from now on."""
        self.is_cut = True
        self.reset()

    def mend(self) -> None:
        """As it was."""
        self.is_cut, self.delay_seconds, self.breaks = False, 0.0, None

    def reset(self) -> None:
        """Hang up on everybody; they may call again."""
        assert self._loop is not None  # noqa: S101 -- open
        self._loop.call_soon_threadsafe(self._hang_up)

    def break_a_commit(self, how: Break) -> threading.Event:
        """Have the next commit fail; the event says when it has."""
        self.broken.clear()
        self.breaks = how
        return self.broken

    def _hang_up(self) -> None:
        for transport in list(self._open):
            _abort(transport)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            _abort(writer.transport)
            return
        try:
            there, beyond = await asyncio.open_connection(LOOPBACK, self._target)
        except OSError:
            _abort(writer.transport)
            return
        ends = {writer.transport, beyond.transport}
        self._open |= ends
        talk = _Talk(self)
        ways = [
            asyncio.ensure_future(self._carry(reader, beyond, talk.said)),
            asyncio.ensure_future(self._carry(there, writer, talk.answered)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._open -= ends
            for transport in ends:
                _abort(transport)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pass_on: Any) -> None:
        """One direction, until either side ends or the talk is broken off."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(UNDER_WAY_MAX)
        loop = asyncio.get_running_loop()

        async def hand_over() -> None:
            while True:
                at, chunk = await under_way.get()
                if at > (now := loop.time()):
                    await asyncio.sleep(at - now)
                writer.write(chunk)
                await writer.drain()

        handing = asyncio.ensure_future(hand_over())
        try:
            with suppress(OSError):
                while chunk := await reader.read(CHUNK_BYTES):
                    if not pass_on(chunk):
                        return
                    if self.delay_seconds or not under_way.empty():
                        await under_way.put((loop.time() + self.delay_seconds, chunk))
                    else:
                        writer.write(chunk)
                        await writer.drain()
        finally:
            handing.cancel()
            await asyncio.gather(handing, return_exceptions=True)


class _Talk:
    """One connection; where PostgreSQL is spoken it knows when its client commits."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._rest = b""
        self._appends: set[bytes] = set()
        """Prepared statements that commit by themselves."""
        self._begun = False
        self._deaf = False

    def said(self, chunk: bytes) -> bool:
        """Take a chunk from the client; False means: do not pass it on, close the connection."""
        if self._wire.is_cut:
            return False
        commits = self._wire.commits and self._commits(chunk)
        how = self._wire.breaks
        if not commits or how is None:
            return True
        self._wire.breaks = None
        if how == "unsaid":
            self._wire.broken.set()
            return False
        self._deaf = True
        return True

    def answered(self, chunk: bytes) -> bool:
        """Take a chunk from the server; False means: do not pass it on, close the connection."""
        del chunk
        if self._deaf:
            self._wire.broken.set()
        return not (self._deaf or self._wire.is_cut)

    def _commits(self, chunk: bytes) -> bool:
        """Whether a commit begins in here: `COMMIT`, or the statement that is one transaction by itself."""
        self._rest += chunk
        found = False
        while not self._begun:  # a greeting has a length and no type; before it may be asked for encryption
            if len(self._rest) < 8 or len(self._rest) < (length := int.from_bytes(self._rest[:4])):  # noqa: PLR2004
                return False
            self._begun = self._rest[4:8] != _SSL_REQUEST
            self._rest = self._rest[length:]
        while len(self._rest) >= 5 and len(self._rest) >= (length := 1 + int.from_bytes(self._rest[1:5])):  # noqa: PLR2004
            found |= self._is_commit(self._rest[:1], self._rest[5:length])
            self._rest = self._rest[length:]
        return found

    def _is_commit(self, kind: bytes, body: bytes) -> bool:
        if kind == b"P":  # Parse: a name and what it stands for
            name, _, text = body.partition(b"\0")
            if b"es.append(" in text or b"UPDATE es.relay" in text:
                self._appends.add(name)
        elif kind == b"B":  # Bind: a portal, and the statement by name
            return body.split(b"\0", 2)[1] in self._appends
        elif kind == b"Q":
            return body.startswith(b"COMMIT")
        return False


class Wires:
    """Every wire of a run, in a thread; a context manager."""

    def __init__(self) -> None:
        """None yet."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="wires", daemon=True)
        self._wires: list[Wire] = []

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up everywhere."""
        for wire in self._wires:
            self._do(wire.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def lay(self, name: str, target: int, *, port: int = 0, commits: bool = False) -> Wire:
        """A wire to this port; see `Wire`."""
        wire = Wire(name, target, port=port, commits=commits)
        self._do(wire.open())
        self._wires.append(wire)
        return wire

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


def _abort(transport: asyncio.BaseTransport) -> None:
    """Close without a farewell: the other side is reset."""
    found: socket.socket | None = transport.get_extra_info("socket")
    with suppress(OSError, AttributeError):
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
