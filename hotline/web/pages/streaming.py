"""The answer that carries a live region."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final

from starlette.responses import Response, StreamingResponse

from hotline.web.pages.asking import PageAsk
from hotline.web.pages.live import VIEWERS_MAX, Render
from hotline.web.pages.problems import PageFault, PageRefusal

EVENT_STREAM: Final = "text/event-stream"
STREAM_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def streamed_region(ask: PageAsk, key: Hashable, render: Render) -> Response:
    """The stream of a region; refused where too many are open already."""
    return streamed_parts(ask, {"": (key, render)})


def streamed_parts(ask: PageAsk, parts: Mapping[str, tuple[Hashable, Render]]) -> Response:
    """The stream of several regions of one page, each by the id of its element."""
    live = ask.rooms.live
    if live.viewers >= VIEWERS_MAX:
        raise PageRefusal(PageFault.TOO_MANY)
    return StreamingResponse(live.follow_parts(parts), media_type=EVENT_STREAM, headers=STREAM_HEADERS)
