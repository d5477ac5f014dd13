"""A life as the pages read it: every fact with its hash, and the complaint they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from hotline.web.pages.asking import PageAsk
from hotline.web.pages.catalogues import N_
from hotline.web.pages.fact_words import FACT_WORDS, LABELS, WHO, FactWords
from hotline.web.pages.naming import unit_name
from hotline.web.pages.reasons import known_reason
from hotline.web.pages.telling_time import instant
from hotline.web.reading import Connection
from shared.complaint import UNOPENED, Case, Complaint, evolve
from shared.events import Fact
from shared.log.chain import GENESIS, chained
from shared.log.codec import decoded

YES, NO = N_("yes"), N_("no")
SEPARATOR: Final = N_(", ")
_FACTS: Final = """
SELECT version, event_id::text, type, schema_version, occurred_at, caused_by, actor, body, hash
FROM es.fact WHERE stream_id = $1 ORDER BY version
"""


class LifeFact(NamedTuple):
    """A fact as the log holds it."""

    version: int
    fact_id: str
    name: str
    schema: int
    at: datetime
    caused_by: str
    desk: str
    body: bytes
    hash: bytes
    fact: Fact | None
    """None where nobody can read it."""
    right: bool
    """Whether its hash follows from the one before."""

    @property
    def actor_id(self) -> str:
        """The person whose word it follows from; empty where none is named."""
        named = None if self.fact is None else self.fact.actorid
        return named if isinstance(named, str) else ""


class ReadLife(NamedTuple):
    """All facts of a complaint, and what they add up to."""

    facts: list[LifeFact]
    case: Complaint | None
    """None where its beginning cannot be read."""

    @property
    def right(self) -> bool:
        """Whether every hash follows from the one before."""
        return all(one.right for one in self.facts)


class ToldField(NamedTuple):
    """A field of a fact as it is shown."""

    name: str
    label: str
    text: str


class ToldFact(NamedTuple):
    """A fact as a page tells it."""

    version: int
    name: str
    at: datetime
    when: str
    who: str
    title: str
    fields: list[ToldField]
    weight: str
    milestone: bool
    actor_id: str


async def life_of(connection: Connection, complaint_id: str) -> ReadLife:
    """The life of a complaint, from its first fact."""
    rows = await connection.fetch(_FACTS, complaint_id)
    facts: list[LifeFact] = []
    case: Case = UNOPENED
    before = GENESIS
    for version, fact_id, name, schema, at, caused_by, desk, body, stored in rows:
        expected = chained(before, complaint_id, version, fact_id, name, schema, at, caused_by, desk, body)
        fact, case = _read(name, schema, body, case)
        right = expected == stored and version == len(facts) + 1
        facts.append(LifeFact(version, fact_id, name, schema, at, caused_by, desk, body, stored, fact, right))
        before = stored
    return ReadLife(facts, case if isinstance(case, Complaint) else None)


def _read(name: str, schema: int, body: bytes, case: Case) -> tuple[Fact | None, Case]:
    try:
        fact = decoded(name, schema, body)
        return fact, evolve(case, fact)
    except Exception:  # noqa: BLE001 -- one fact that nobody can read hides no other
        return None, case


def told_facts(ask: PageAsk, facts: Sequence[LifeFact], ruleset: str) -> list[ToldFact]:
    """The facts in the reader's language."""
    return [_told(ask, one, ruleset) for one in facts]


def _told(ask: PageAsk, one: LifeFact, ruleset: str) -> ToldFact:
    words = FACT_WORDS.get(type(one.fact)) if one.fact is not None else None
    when = instant(one.at, ruleset, ask.now)
    if one.fact is None or words is None:
        return ToldFact(
            one.version,
            one.name,
            one.at,
            when,
            one.desk,
            one.name,
            [],
            "missed",
            milestone=False,
            actor_id="",
        )
    fields = [
        ToldField(name, ask.text(LABELS[name]), text)
        for name in words.fields
        if (text := _field_of(ask, words, name, getattr(one.fact, name), ruleset))
    ]
    return ToldFact(
        one.version,
        one.name,
        one.at,
        when,
        _who(ask, words, one.fact),
        ask.text(words.title),
        _limit_in_force(one.fact, fields),
        words.weight,
        words.milestone,
        one.actor_id,
    )


def _field_of(ask: PageAsk, words: FactWords, name: str, value: Any, ruleset: str) -> str:
    """A field; of a refusal the reason as the catalogue tells it."""
    if words.weight == "refused" and name == "reason":
        return known_reason(ask.look.language, value) or value
    return shown_value(ask, name, value, ruleset)


def _limit_in_force(fact: Fact, fields: list[ToldField]) -> list[ToldField]:
    """Of a dispatch the limit that counts in its round: the citizen's in the first, the unit's in a later one."""
    left_out = "unit_due_at" if getattr(fact, "round", 1) == 1 else "citizen_due_at"
    both = {"unit_due_at", "citizen_due_at"} <= {one.name for one in fields}
    return [one for one in fields if not (both and one.name == left_out)]


def _who(ask: PageAsk, words: FactWords, fact: Fact) -> str:
    if words.who in WHO:
        return ask.text(WHO[words.who])
    return shown_value(ask, words.who, getattr(fact, words.who), "")


def shown_value(ask: PageAsk, name: str, value: Any, ruleset: str) -> str:
    """A value of a fact as a reader sees it; empty where it says nothing."""
    nothing = value is None or value is msgspec.UNSET or value in {"", ()}
    if nothing or (name, value) == ("round", 1):
        return ""
    if name == "channel":
        return ask.name("channel", value)
    return _text_of(ask, value, ruleset)


def _text_of(ask: PageAsk, value: Any, ruleset: str) -> str:
    match value:
        case bool():
            return ask.text(YES if value else NO)
        case datetime():
            return instant(value, ruleset, ask.now)
        case tuple():
            return ask.text(SEPARATOR).join(unit_name(ask.rooms.catalogue, str(one)) for one in value)
        case StrEnum():
            return ask.name(type(value).__name__, value)
        case _:
            return unit_name(ask.rooms.catalogue, str(value))
