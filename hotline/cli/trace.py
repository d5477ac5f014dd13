"""`hotline trace`: one complaint's life, told whole to the trace viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.run import Json, run
from hotline.terminal import note, say, say_record

if TYPE_CHECKING:
    from hotline.casefile.traced import Traced


def trace(
    complaint: Annotated[
        str, typer.Argument(help="Its number, its id, the beginning of it, or the request's id.")
    ],
    *,
    json: Json = False,
) -> None:
    """Send a life's stages to the trace viewer, and print the address at which they stand.

    A stage that has not ended is left out: send the life again later. --json prints the spans as well, and
    needs no viewer.
    """
    found = run(_trace(complaint, needs_viewer=not json))
    if json:
        say_record(found)
        return
    say(f"{len(found.spans)} spans of complaint {found.complaint_id} stand at {found.trace}")
    if found.unreadable:
        note(found.unreadable)


async def _trace(complaint: str, *, needs_viewer: bool) -> Traced:
    from deploy.city.registry import city_up
    from hotline.casefile.traced import traced
    from hotline.tracing.stating import state
    from shared.runtime.errors import UserError
    from shared.runtime.zipkin import ZipkinSpans

    endpoints = city_up().endpoints
    if endpoints.zipkin is None and needs_viewer:
        raise UserError("No trace viewer runs with this city: --json prints the spans.")
    found = await traced(endpoints.logins["reader"], complaint, endpoints.zipkin)
    if (
        endpoints.zipkin is not None
        and found.spans
        and not await state(ZipkinSpans(endpoints.zipkin), found.spans)
    ):
        raise UserError(f"The trace viewer at {endpoints.zipkin} did not take the spans.")
    return found
