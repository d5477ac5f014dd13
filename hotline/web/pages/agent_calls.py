"""The call that an agent has just taken: it pops up on every page of the agent, over a stream of its own."""

from __future__ import annotations

from starlette.responses import Response, StreamingResponse

from hotline.web.pages.asking import PageAsk
from hotline.web.pages.call_watch import TakenCall
from hotline.web.pages.live import VIEWERS_MAX
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.rendering import block
from hotline.web.pages.streaming import EVENT_STREAM, STREAM_HEADERS


async def taken_calls(ask: PageAsk) -> Response:
    """The stream of the calls of the person who looks."""
    calls = ask.rooms.calls
    if calls.viewers >= VIEWERS_MAX:
        raise PageRefusal(PageFault.TOO_MANY)

    def render(call: TakenCall | None) -> str:
        now = ask.now
        there = call if call is not None and call.shown(now) else None
        return str(block(ask.look, "call.html", "strip", call=there, now=now, ruleset=ask.rooms.ruleset))

    return StreamingResponse(
        calls.follow(ask.staff.staff_id, render), media_type=EVENT_STREAM, headers=STREAM_HEADERS
    )
