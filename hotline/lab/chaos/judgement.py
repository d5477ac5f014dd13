"""The result of a run of chaos, read from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import msgspec

from deploy.city.endpoints import CityEndpoints
from deploy.city.registry import ANCHORS_FILE, city_folder
from deploy.supervision.topic_ends import ends_of
from hotline.lab.chaos.appends import Writers, judged
from hotline.lab.chaos.letters import unstated
from hotline.lab.chaos.monkey import FaultKind, Monkey
from hotline.lab.chaos.nonsense import NEVER, PARKED, ParkedCount, amiss
from hotline.lab.chaos.outside import Outside
from hotline.lab.mix import Mix
from hotline.lab.rehearsal.stage import verified
from hotline.lab.simulation.asked_for import AskedFor
from hotline.lab.simulation.conductor import Summary
from services.intake.inbound import SAME_CALL_MAX, claim_id
from shared.ids import complaint_id, derived
from shared.inputs import Input
from shared.log.heads import fetch, over_bodies
from shared.policy.catalogue import Catalogue
from shared.topic_names import names
from shared.topics import COMPLAINTS_LOG
from shared.unreadable import UnreadableRows
from shared.work import Claim

# A limit's instant may come twice: over before the order was sent, it is stated, and then its correction is.
DOUBLED: Final = """
SELECT stream_id::text, actor, caused_by, string_agg(version || ' ' || type, ', ' ORDER BY version) AS facts
FROM es.fact
GROUP BY 1, 2, 3, CASE WHEN caused_by LIKE 'clock/%' THEN type END
HAVING count(DISTINCT xid) > 1 ORDER BY 1 LIMIT 20
"""
_EARLY: Final = over_bodies(
    """
SELECT stream_id::text, version FROM es.fact, LATERAL (SELECT {json} AS b) x
WHERE type IN ('SignLimitMissed', 'AnswerLimitMissed')
  AND (b ->> 'noticed_at')::timestamptz < (b ->> 'due_at')::timestamptz LIMIT 20
"""
)
_INBOX: Final = "SELECT message_id::text FROM es.inbox WHERE consumer = ANY ($1)"
_OF_CALLS: Final = """
SELECT r.body AS received, c.body AS classified
FROM es.fact r JOIN es.fact c ON c.stream_id = r.stream_id AND c.type = 'ComplaintClassified'
WHERE r.type = 'ComplaintReceived' AND r.version = 1
"""
_REPEATED: Final = "SELECT stream_id::text, body FROM es.fact WHERE type = 'RequestRepeated'"
_CALLS: Final = """
SELECT coalesce(sum((offered_at IS NOT NULL)::int + (answered_at IS NOT NULL)::int + (ended_at IS NOT NULL)::int), 0)
FROM intake.call
"""


class ChaosOutcome(msgspec.Struct, kw_only=True):
    """A run of chaos, judged."""

    seed: int
    mix: Mix
    minutes: float
    faults: int
    kinds: list[FaultKind]
    left_out: list[str]
    """Kinds this machine does not allow."""
    facts: int
    complaints: int
    inputs: int
    """Acknowledged, each once."""
    asked_for: dict[str, AskedFor]
    """The wishes by name: how many were asked for, granted and refused."""
    lost: list[str]
    doubled: list[str]
    illegal: list[str]
    """Findings of `verify`: lives, chains, views unlike their rebuild, complaints that wait for nobody."""
    early: list[str]
    appends: int
    """Attempts in the writers' history."""
    impossible: list[str]
    parked_wrong: list[str]
    """Nonsense that was not parked once by each who heard it, or for another reason; or something else that was."""
    over_http: tuple[int, int]
    """How many of the inputs the HTTP door acknowledged, and how often something was sent again there."""
    letters: int
    """Requests typed in days and weeks late."""
    letters_unstated: list[str]
    """Those of which a limit was over, and no fact says so."""
    parked: int
    inputs_dropped: int
    """Repeats of inputs that had no effect."""
    relay_dropped: int
    """Messages the relay sent again."""
    died: list[str]
    """Processes that ended without being told to."""
    ended: list[str]
    """Processes that were taken for hung: none does, for no fault is as long as that."""
    still_open: int

    @property
    def zeros(self) -> dict[str, int]:
        """The counts that must be zero."""
        return {
            "acknowledged inputs lost": len(self.lost),
            "effects doubled": len(self.doubled),
            "problems found by verify": len(self.illegal),
            "early timers": len(self.early),
            "impossible histories of appends": len(self.impossible),
            "nonsense not parked as it should": len(self.parked_wrong),
            "letters whose overdue limits were not stated": len(self.letters_unstated),
            "lives still open at the end": self.still_open,
            "processes ended as if they hung": len(self.ended),
            "processes that needed a hand": sum(kind.hands for kind in self.kinds),
        }

    @property
    def good(self) -> bool:
        """All of them are."""
        return not any(self.zeros.values())


async def judged_outcome(
    endpoints: CityEndpoints,
    catalogue: Catalogue,
    summary: Summary,
    monkey: Monkey,
    writers: Writers,
    outside: Outside,
    *,
    seed: int,
    mix: Mix,
    minutes: float,
    died: list[str],
    ended: list[str],
    left_out: list[str],
) -> ChaosOutcome:
    """Read the log, the topics and what everybody was told; nothing of it is asked of the desks."""
    reader = endpoints.logins["reader"]
    told = [*summary.acknowledged_inputs, *outside.acknowledged, *outside.over_http]
    anchors = city_folder(CITY) / ANCHORS_FILE
    report = await verified(endpoints, catalogue, told, all_end=True, anchors=anchors)
    problems = [f"{one.complaint_id} {one.what}".strip() for one in report.problems]
    lost = [text for text in problems if "acknowledged by Kafka, and lost" in text]
    unread = UnreadableRows()  # verify has named them
    connection = await asyncpg.connect(reader)
    try:
        doubled = [" ".join(row) for row in await connection.fetch(DOUBLED)]
        early = [f"{row[0]} version {row[1]}" for row in await fetch(connection, _EARLY, unread=unread)]
        parked = {row[0]: ParkedCount(row[1], row[2]) for row in await connection.fetch(PARKED)}
        heard = await _heard(connection)
    finally:
        await connection.close()
    said, sent = await _sensible(endpoints, catalogue, outside, parked)
    return ChaosOutcome(
        seed=seed,
        mix=mix,
        minutes=minutes,
        faults=monkey.done,
        kinds=sorted(monkey.kinds.values(), key=lambda kind: kind.fault),
        left_out=left_out,
        facts=report.facts,
        complaints=report.complaints,
        inputs=len(told),
        asked_for={name: one for name, one in summary.asked_for.items() if name != OF_WRITERS},
        lost=lost,
        doubled=doubled,
        illegal=[text for text in problems if text not in lost],
        early=early,
        appends=len(writers.history),
        impossible=await judged(reader, writers.history),
        parked_wrong=amiss(outside.poisoned, parked),
        parked=sum(one.times for one in parked.values()),
        inputs_dropped=said - (heard - writers.said),
        relay_dropped=sent - report.facts,
        letters=len(outside.letters),
        over_http=(len(outside.over_http), outside.over_http_again),
        letters_unstated=await unstated(reader, outside.letters),
        died=died,
        ended=ended,
        still_open=report.open,
    )


async def _heard(connection: asyncpg.Connection[Any]) -> int:
    """How many inputs the desks have taken in, each once."""
    marks = {row[0] for row in await connection.fetch(_INBOX, ["intake", "dispatch", "feedback"])}
    of_calls = await connection.fetch(_OF_CALLS)
    marks -= {held for row in of_calls for held in _held_by(row["received"], row["classified"])}
    marks -= {_counted_by(*row) for row in await connection.fetch(_REPEATED)}
    return len(marks) + int(await connection.fetchval(_CALLS))


async def _sensible(
    endpoints: CityEndpoints, catalogue: Catalogue, outside: Outside, parked: Mapping[bytes, ParkedCount]
) -> tuple[int, int]:
    """How many messages lie at doors and in the log's topic that are no nonsense of ours."""
    ends = await _ends(endpoints, catalogue)
    said = sum(end for (topic, _), end in ends.items() if _is_door(endpoints, catalogue, topic))
    sent = sum(end for (topic, _), end in ends.items() if topic == endpoints.prefix + COMPLAINTS_LOG.name)
    nonsense = [(piece.desks, parked.get(key, NEVER).times) for key, piece in outside.poisoned.items()]
    at_doors = sum(times for desks, times in nonsense if desks == 1)
    in_log = sum(times // desks for desks, times in nonsense if desks > 1)
    return said - at_doors, sent - in_log


def _held_by(received: bytes, classified: bytes) -> tuple[str, ...]:
    """The messages that a call's records may hold beside those that were heard, as they were recorded first (T7)."""
    said, subject = msgspec.json.decode(received), msgspec.json.decode(classified)["subject"]
    if said.get("call_id") is None:
        return ()
    first = claim_id(said["call_id"], subject, said["district"], said.get("street"))
    return (first, *Claim(first, None, places=SAME_CALL_MAX).further())


def _counted_by(complaint: str, repeated: bytes) -> str:
    """The message that a repeat holds beside its own, by which it is counted once (R11)."""
    said = msgspec.json.decode(repeated)
    return derived("repeated", complaint, complaint_id(said["repeat_id"], said.get("speaker", "")))


async def _ends(endpoints: CityEndpoints, catalogue: Catalogue) -> Mapping[tuple[str, int], int]:
    asked = {
        (name, part)
        for name, line in names(endpoints.prefix, catalogue.units).items()
        for part in range(line.partitions)
    }
    return await ends_of(endpoints.kafka, asked)


def _is_door(endpoints: CityEndpoints, catalogue: Catalogue, topic: str) -> bool:
    line = names(endpoints.prefix, catalogue.units)[topic]
    return any(issubclass(kind, Input) for kind in line.carries)


OF_WRITERS: Final = "withdrawals"
"""Writers withdraw too, on the log itself; their facts look like the citizens'."""
CITY: Final = "chaos"
