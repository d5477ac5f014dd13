"""The command line, in a city whose dialler forgets one citizen, and to whose database something happens at the end."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg

from hotline.__main__ import main
from hotline.lab.simulation.city import SimulatedDay
from hotline.lab.simulation.conductor import RehearsalProgress, Summary
from hotline.lab.simulation.planned_input import NOTHING, OutwardMessage, Reaction
from hotline.lab.simulation.population import Beijing
from shared.events import VisitScheduled
from shared.ids import message_id

_forgotten: set[str] = set()
_react, _live = Beijing.react, SimulatedDay.live
_SPOILT = """
UPDATE es.stream SET version = version + 1
WHERE stream_id = (SELECT stream_id FROM es.stream WHERE stream_id <> $1 ORDER BY 1 LIMIT 1) RETURNING stream_id
"""
_NOT_ENDED = """
UPDATE intake.call SET told = ARRAY(SELECT t FROM unnest(told) t WHERE t NOT LIKE '% ended %') WHERE call_id = $1
"""


def forgets_one(self: Beijing, heard: OutwardMessage) -> Reaction:
    """As ever, but for the first citizen whom the dialler should ask."""
    fact = heard.fact
    if isinstance(fact, VisitScheduled) and fact.complaint_id in (_forgotten or {fact.complaint_id}):
        _forgotten.add(fact.complaint_id)
        return NOTHING
    return _react(self, heard)


async def and_then_spoilt(
    self: SimulatedDay, on_progress: Callable[[RehearsalProgress], None] = lambda _: None
) -> Summary:
    """As ever; then a head, an input and the end of a call are spoilt, and their names are printed."""
    summary = await _live(self, on_progress)
    owner = await asyncpg.connect(self._conductor._database._dsn)
    try:
        (unasked,) = _forgotten
        print("FORGOTTEN", unasked)
        print("SPOILT", await owner.fetchval(_SPOILT, unasked))
        gone = min(one for one in summary.acknowledged_inputs if one.type == "hotline.order.answer.v1")
        print("GONE", gone.event_id)
        identity = message_id(gone.topic, gone.source, gone.event_id)
        await owner.execute("DELETE FROM es.inbox WHERE message_id = $1", identity)
        call = min(one.key for one in summary.acknowledged_inputs if one.type == "hotline.call.ended.v1")
        print("CALL", call)
        await owner.execute(_NOT_ENDED, call)
    finally:
        await owner.close()
    return summary


if __name__ == "__main__":
    Beijing.react, SimulatedDay.live = forgets_one, and_then_spoilt  # type: ignore[method-assign]
    main()
