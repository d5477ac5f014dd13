"""States lives to a trace viewer or a collector while they are lived, from the log alone.

A life that is sampled is stated stage by stage, as each one ends. A life in which something went wrong is stated whole
from the moment that this is known, and on. Nothing that is told twice does harm: the ids are the same. So nothing is
kept of what was sent. After a start, and after the viewer was away, the lives of the last day are stated again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

import asyncpg
from opentelemetry.sdk.trace.export import SpanExporter

from hotline.tracing.followed import (
    POSITIONS,
    RESTATED,
    Touched,
    forget,
    present,
    remember,
    stretch_since,
    touched,
    touched_in,
)
from hotline.tracing.span import LifeSpan
from hotline.tracing.stages import spans_of
from hotline.tracing.stating import fact_of, state
from shared.log.away import AWAY, is_away
from shared.log.instants import reads_any_instant
from shared.log.locks import TRACES, TRY_ONE
from shared.log.postgres import connect
from shared.runtime.errors import told
from shared.runtime.telemetry import Telemetry
from shared.unreadable import UnreadableRows

LOOK_SECONDS: Final = 1.0
STAND_BY_SECONDS: Final = 5.0
AWAY_SECONDS: Final = 5.0
"""How long a viewer that did not answer is left alone."""
LIVES: Final = 100
"""Lives read and sent at once: some 2,000 spans."""
WINDOW_SECONDS: Final = 60.0
ALWAYS_MAX: Final = 60
"""Lives in a window that begin to be stated because something went wrong: 86,400 a day.

A viewer keeps half a million spans, and where everything goes wrong the first lives tell what. `hotline trace` states
each of the others."""

_FACTS: Final = """
SELECT stream_id::text AS stream, version, type, schema_version, body FROM es.fact
WHERE stream_id = ANY ($1::uuid[]) ORDER BY stream_id, version
"""


class ViewerAway(Exception):  # noqa: N818 -- it is away, which is no error of ours
    """The viewer did not take the spans."""


class LifeExporter:
    """Follows the log and states what ended; one a city."""

    def __init__(self, dsn: str, exporter: SpanExporter, ratio: float, telemetry: Telemetry) -> None:
        """`ratio`: the share of lives that is sampled, 0 to 1."""
        self._dsn = dsn
        self._exporter = exporter
        self._ratio = ratio
        self._telemetry = telemetry
        telemetry.keeps("traces")
        self._window = 0
        self._begun = 0

    async def run(self) -> None:
        """Until cancelled. PostgreSQL and the viewer may go and come back; nothing else waits for them."""
        said = ""
        while True:
            try:
                await self._own_and_state()
            except ViewerAway:
                if said != "viewer":
                    self._telemetry.log.warning("trace_viewer_away")
                said = "viewer"
            except Exception as error:  # noqa: BLE001 -- traces must not end what keeps the lists
                if not (isinstance(error, AWAY) and is_away(error)):
                    self._telemetry.log.error("traces_failed", error=told(error))  # noqa: TRY400 -- told() is enough
                said = ""
            await asyncio.sleep(AWAY_SECONDS)

    async def _own_and_state(self) -> None:
        connection = await connect(self._dsn, "traces")
        try:
            await reads_any_instant(connection)
            while not await connection.fetchval(TRY_ONE, TRACES):  # noqa: ASYNC110 -- nobody says when a lock is free
                await asyncio.sleep(STAND_BY_SECONDS)
            seen = await present(connection)
            await forget(connection)
            await self._state_again(connection)
            while True:
                now = await present(connection)
                if now != seen:
                    await self._state(connection, await touched(connection, seen, now, self._ratio))
                    seen = now
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            with suppress(Exception):
                await connection.close(timeout=5)

    async def _state_again(self, connection: asyncpg.Connection[Any]) -> None:
        """State the lives of the last day whole, each once."""
        first, end = await stretch_since(connection, RESTATED)
        done: set[str] = set()
        for at in range(first, end, POSITIONS):
            found = await touched_in(connection, (at, min(at + POSITIONS, end)), self._ratio)
            await self._state(connection, [one for one in found if one.complaint_id not in done])
            done |= {one.complaint_id for one in found}

    async def _state(self, connection: asyncpg.Connection[Any], lives: Sequence[Touched]) -> None:
        """Send what is new of these lives; raises `ViewerAway`."""
        followed = [one for one in lives if one.why is None]
        begun = [one for one in lives if one.why is not None]
        allowed = begun[: self._allowed(len(begun))]
        self._telemetry.count("traces.left_out", len(begun) - len(allowed))
        every = [*followed, *allowed]
        for first in range(0, len(every), LIVES):
            part = every[first : first + LIVES]
            facts = await _facts(connection, [one.complaint_id for one in part])
            spans = [span for one in part for span in new_spans(facts.get(one.complaint_id, ()), one)]
            if spans and not await state(self._exporter, spans):
                raise ViewerAway
            self._telemetry.count("traces.spans", len(spans))
            await remember(connection, part)

    def _allowed(self, asked: int) -> int:
        """How many more lives may begin to be stated in this window, at most as many as asked."""
        window = int(time.monotonic() // WINDOW_SECONDS)
        if window != self._window:
            self._window, self._begun = window, 0
        allowed = min(asked, ALWAYS_MAX - self._begun)
        self._begun += allowed
        return allowed


def new_spans(facts: Sequence[Any], life: Touched) -> list[LifeSpan]:
    """The spans that are to be stated of a life with these facts: all, or those that its new facts ended. Pure."""
    spans = spans_of(facts)
    if life.why is not None or not life.known:
        return spans
    before = {span.span_id for span in spans_of(facts[: life.known])}
    return [span for span in spans if span.span_id not in before]


async def _facts(connection: asyncpg.Connection[Any], lives: Sequence[str]) -> Mapping[str, list[Any]]:
    """The facts of each life in order; None where one cannot be read."""
    unread = UnreadableRows()
    found: dict[str, list[Any]] = {}
    for row in await connection.fetch(_FACTS, lives):
        what = f"version {row['version']} ({row['type']})"
        found.setdefault(row["stream"], []).append(unread.read(what, partial(fact_of, row)))
    return found
