"""The shapes of a span and its events, and the ids of a life's spans. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from shared.runtime.span_names import Kind
from shared.trace_ids import LIFE as LIFE_STAGE
from shared.trace_ids import stage_span_of


class LifeStage(StrEnum):
    """A part of a life that lasts; `WORD` is none: one fact at its instant."""

    LIFE = LIFE_STAGE
    DISPATCH = "dispatch"
    """From the moment that an order must be written until it is."""
    ORDER = "order"
    REVIEW = "review"
    """A question of a unit, until it is decided or its order is over."""
    PAUSE = "pause"
    WHISTLE = "whistle"
    CALL = "call"
    """One unit that a street whistled for."""
    SUPERVISION = "supervision"
    VISIT = "visit"
    ATTEMPT = "attempt"
    WORD = "word"


class SpanEvent(msgspec.Struct, frozen=True):
    """A fact at its instant, within a stage."""

    version: int
    """Its place in the life, 1 and on."""
    name: str
    at: datetime


class LifeSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A stage that has ended, or one word of a speaker; it never changes once it is stated."""

    trace_id: str
    """128 bits, as 32 hexadecimal digits."""
    span_id: str
    """64 bits, as 16 of them; never all 0."""
    parent_id: str | None
    """None of the life itself, and of what happened after its end."""
    name: str
    kind: Kind
    service: str
    """The one at work: a desk, or the unit that speaks."""
    peer: str
    """The other side; empty where there is none."""
    started_at: datetime
    ended_at: datetime
    """The same as its start for a word."""
    attributes: tuple[tuple[str, str | int], ...]
    """By the names of `conventions`, in order."""
    events: tuple[SpanEvent, ...]
    """In the order of their facts; a word has none, it is its fact."""
    error: str
    """The names of the limits missed in it, with commas between; empty where none was."""


def stage_span_id(complaint_id: str, version: int, stage: LifeStage) -> str:
    """The span of the stage that the fact of this version began, or of the word that it is."""
    return f"{stage_span_of(complaint_id, version, stage):016x}"
