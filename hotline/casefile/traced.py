"""A life as spans, from the log, whether it was sampled or not."""

from __future__ import annotations

from functools import partial

import msgspec

from hotline.casefile.timeline import rows_of
from hotline.tracing.span import LifeSpan
from hotline.tracing.stages import spans_of
from hotline.tracing.stating import fact_of
from shared.log.reading import archive_held
from shared.trace_ids import trace_hex_of, trace_page
from shared.unreadable import UnreadableRows


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
    facts = [unread.read(f"version {row['version']} ({row['type']})", partial(fact_of, row)) for row in rows]
    return Traced(
        complaint_id=complaint_id,
        trace_id=trace_hex_of(complaint_id),
        trace="" if viewer is None else trace_page(viewer, complaint_id),
        spans=spans_of(facts),
        unreadable=unread.line(),
    )
