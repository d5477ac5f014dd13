"""An answer that goes on: server-sent events."""

from __future__ import annotations

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hotline.web.asking import HttpStream
from hotline.web.document import EVENT_STREAM


class _Streamed(StreamingResponse):
    """A stream that gives back what it holds, even where nobody has read the first of it."""

    def __init__(self, stream: HttpStream) -> None:
        super().__init__(stream.chunks, media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._stream.close()


def streamed(stream: HttpStream) -> Response:
    """The response of a stream."""
    return _Streamed(stream)
