"""The floor under the HTTP door: the same server with an empty handler and nothing else, as a process.

It says its port on a line of its own. SIGTERM ends it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Final

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hotline.web.serving import server_of, taken
from shared.runtime.garbage import tune_gc

PATH: Final = "/events"


async def _nothing(request: Request) -> Response:
    """Answer, and look at nothing."""
    del request
    return Response(status_code=202)


async def serve() -> None:
    """Answer until SIGTERM."""
    mine = taken("127.0.0.1", 0)
    server = server_of(Starlette(routes=[Route(PATH, _nothing, methods=["POST"])]))

    def stop() -> None:
        server.should_exit = True

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    sys.stdout.write(f"{mine.getsockname()[1]}\n")
    sys.stdout.flush()
    tune_gc()
    await server.serve(sockets=[mine])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
