"""The server of one listener: uvicorn with the limits of the door, and a socket that is taken before it starts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hotline.web.limits import (
    CONNECTIONS_MAX,
    HEAD_BYTES_MAX,
    HEAD_SECONDS_MAX,
    KEEP_ALIVE_SECONDS,
    STOP_SECONDS,
)
from shared.runtime.errors import UserError

BACKLOG: Final = 512
"""Connections that the system holds until they are taken."""


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's connection, and an end to one whose request does not begin: uvicorn waits for a head for ever."""

    _in_head = True
    _head_bytes = 0
    _head_ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._head_ends = self.loop.call_later(HEAD_SECONDS_MAX, self._cut)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        if not self._in_head:
            self._arrived()
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX:
            self._cut()
        elif self._head_ends is None:
            self._head_ends = self.loop.call_later(HEAD_SECONDS_MAX, self._cut)

    def on_message_begin(self) -> None:
        """See httptools."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._in_head = False
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._arrived()
        super().connection_lost(exc)

    def _arrived(self) -> None:
        if self._head_ends is not None:
            self._head_ends.cancel()
            self._head_ends = None

    def _cut(self) -> None:
        """Nobody is answered: whoever sends no whole request waits for none."""
        self._head_ends = None
        if not self.transport.is_closing():
            self.transport.close()


class QuietServer(uvicorn.Server):
    """A server that leaves the signals to its process: two of them would take them from each other."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def server_of(app: ASGIApp, proxies: str = "") -> QuietServer:
    """A server of this application; `proxies`: whose `X-Forwarded-For` is believed."""
    return QuietServer(
        uvicorn.Config(
            app,
            http=PatientProtocol,
            lifespan="off",
            access_log=False,  # a query may hold what nobody should read in a log
            log_config=None,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies or "",
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )


def taken(host: str, port: int) -> socket.socket:
    """The socket of this address; `UserError` where somebody else has it."""
    try:
        return socket.create_server((host, port), backlog=BACKLOG, reuse_port=False)
    except OSError as error:
        raise UserError(f"{host}:{port} cannot be opened ({error.strerror}).") from None
