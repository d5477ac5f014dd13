"""The server of one listener: uvicorn with the limits of the door, and a socket that is taken before it starts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from hotline.web.limits import CONNECTIONS_MAX, KEEP_ALIVE_SECONDS, STOP_SECONDS
from shared.runtime.errors import UserError

BACKLOG: Final = 512
"""Connections that the system holds until they are taken."""


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
            http="httptools",
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
