"""A life stated whole to a trace viewer, from the log: as often as one likes, whether it was sampled or not."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import httpx2
import msgspec

from hotline.casefile.timeline import rows_of
from hotline.tracing.span import LifeSpan
from hotline.tracing.stages import spans_of
from hotline.tracing.zipkin import encoded
from shared.log.codec import decoded
from shared.log.reading import archive_held
from shared.runtime.errors import UserError
from shared.trace_ids import trace_hex_of, trace_page
from shared.unreadable import UnreadableRows

VIEWER_SECONDS_MAX: Final = 30.0
"""How long the viewer is waited for; one that has just started takes some seconds."""


class Traced(msgspec.Struct, frozen=True, kw_only=True):
    """A life as spans."""

    complaint_id: str
    trace_id: str
    """32 hexadecimal digits."""
    trace: str
    """The address at which a viewer shows it; empty where no viewer runs."""
    spans: list[LifeSpan]
    """Of the stages that have ended, inner ones first."""
    unreadable: str = ""
    """A sentence on what of it could not be read; empty where all could."""


async def traced(reader_dsn: str, named: str, viewer: str | None) -> Traced:
    """The spans of a complaint named by its number, its id, a beginning of it, or its request's id.

    `viewer`: the address of the trace viewer, None where none runs. `UserError` in one sentence where nobody
    or several are named so.
    """
    async with archive_held(reader_dsn, {"timezone": "UTC"}) as connection:
        complaint_id, rows = await rows_of(connection, named)
    unread = UnreadableRows()
    facts = [unread.read(f"version {row['version']} ({row['type']})", partial(_fact, row)) for row in rows]
    return Traced(
        complaint_id=complaint_id,
        trace_id=trace_hex_of(complaint_id),
        trace="" if viewer is None else trace_page(viewer, complaint_id),
        spans=spans_of(facts),
        unreadable=unread.line(),
    )


def _fact(row: Any) -> Any:
    return decoded(row["type"], row["schema_version"], row["body"])


async def state(viewer: str, spans: list[LifeSpan]) -> None:
    """Tell the viewer all of them at once; told again they are the same. `UserError` where it does not take them."""
    try:
        # A proxy of the network leads to no viewer on this machine.
        async with httpx2.AsyncClient(timeout=VIEWER_SECONDS_MAX, trust_env=False) as client:
            answer = await client.post(
                f"{viewer}/api/v2/spans", content=encoded(spans), headers={"Content-Type": "application/json"}
            )
    except httpx2.TransportError as error:
        raise UserError(f"The trace viewer at {viewer} does not answer: {type(error).__name__}.") from error
    if answer.status_code != httpx2.codes.ACCEPTED:
        raise UserError(f"The trace viewer at {viewer} took nothing: status {answer.status_code}.")
