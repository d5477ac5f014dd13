"""The rules of a city that may change: limits, rounds, attempts; dated data, pinned on each complaint (T23).

A value that the reference does not settle stands here as plain configuration and is labelled so. Every value carries
its basis. Only the sentence of a norm with high confidence may be called law (T31).
"""

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from shared.events import Level, Urgency, WhistleKind
from shared.policy.flaws import first_of
from shared.policy.limits import ClassLimits, DayKind, Days, Limit, WhistleLimits
from shared.policy.own_versions import RULESETS, own_text, own_versions
from shared.policy.ruleset_file import (
    ValueBasis,
    WrittenClass,
    WrittenRuleSet,
    WrittenScore,
    WrittenWhistle,
    duration_of,
    flaws,
)
from shared.policy.scoring import Counting, Cut, Measure, Scoring
from shared.text import folded

_FOLDER: Final = files("shared") / "data" / "rulesets"


class RuleSetUnknown(LookupError):  # noqa: N818 -- reads as the sentence it reports
    """There is no rule set of that version; the message names those that are."""


class RuleSetInvalid(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """A rule set cannot be used as written; the message names the version and the field."""


class TelephoneRules(msgspec.Struct, frozen=True, kw_only=True):
    """The measures of the telephone (A1, A2)."""

    answer_within: timedelta
    """From offered to answered; exactly so long is in time (T11)."""
    connection_percent: int
    """Of the calls offered so many must be answered, in any window."""
    window: timedelta
    window_calls_min: int
    """Calls that a window must hold to be told as the worst: of two calls one half says nothing."""
    short_abandon: timedelta
    """A caller who gave up sooner is counted beside, too: perhaps a wrong number."""
    excluded: frozenset[str]
    """Outcomes that are not counted but published."""


class MessageRules(msgspec.Struct, frozen=True, kw_only=True):
    """How soon a message is to be answered first (A3)."""

    respond_within: Mapping[str, timedelta]
    """By channel; exactly so long is in time."""
    otherwise: timedelta
    """On a channel that is not named."""

    def within(self, channel: str) -> timedelta:
        """The limit on this channel."""
        return self.respond_within.get(channel, self.otherwise)


# Compared and hashed by identity: the loader makes one of each version, and deadlines cache by it.
class RuleSet(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One dated version of the rules; a complaint keeps the version it was born under."""

    version: str
    timezone: str
    """IANA name of the zone in which days begin and end."""
    effective_from: date
    limits_given: bool
    """True where each request brings its own feedback limit."""
    given_back_days_max: int
    """How far before its request a limit may lie that comes with it."""
    given_ahead_days_max: int
    """How far behind its request."""
    day_kind: DayKind
    roll_if_holiday: bool
    """Whether a natural-day limit that ends on a day not worked moves to the next worked day."""
    record_fields: tuple[str, ...]
    """The fields a record must not leave blank (Q1), by the names of the published contract."""
    emergency_services: tuple[str, ...]
    """Where emergencies are handed to (R4)."""
    returns_max: int
    """Approved returns of one complaint, after which it stays where it is."""
    extensions_max: int
    """Approved extensions of one complaint (D4)."""
    extension_days_max: int
    """Of one extension; only limits in days are extended."""
    pauses_max: int
    """Approved pauses of one complaint: how often its clock may stand still."""
    pause_days_max: int
    """Of one pause; only limits in days are paused."""
    co_units_max: int
    """Units that help with one complaint."""
    answers_sent_back_max: int
    """Answers to one order that the review may send back before the citizen is asked."""
    rounds_max: int
    """Rounds of handling in all, the first included."""
    visit_attempts_max: int
    visit_spacing: timedelta
    """Between two attempts to reach the citizen, at least."""
    visit_within: timedelta | None
    """From the moment an attempt may be made until it must have been; None where there is no such limit."""
    visit_channels: tuple[str, ...]
    """How the citizen is asked, by attempt (R8, E1); the last for every further one."""
    contact_days: int
    """Days after the end of a life until its contact is shredded (I1)."""
    contact_without_record: timedelta
    """How long a contact is kept that came before its request, and whose request is not on record."""
    caller_mark_days: int
    """Days that an approved mark of a malicious caller warns (R11, I2); a proposal lapses after as many."""
    ladder: tuple[Level, ...]
    """The levels that watch, from the first to the last."""
    classes: Mapping[Urgency, ClassLimits]
    proposed: Mapping[str, Urgency]
    """The class that a subject belongs to by its kind; it is proposed to the agent, who decides (C2)."""
    whistles_max: int
    """Whistles of one complaint."""
    called_max: int
    """Units one whistle calls."""
    whistle: Mapping[WhistleKind, WhistleLimits]
    telephone: TelephoneRules
    messages: MessageRules
    score: Scoring
    basis: Mapping[str, ValueBasis]
    """By dotted name of the value, for example `classes.GENERAL_7D.feedback`."""

    def class_for(self, subject: str) -> Urgency:
        """The class proposed for a subject; the general one where the rule set names none."""
        return self.proposed.get(folded(subject), Urgency.GENERAL_7D)

    def visit_channel(self, attempt: int) -> str:
        """How the citizen is asked in this attempt, 1 for the first (E1)."""
        return self.visit_channels[min(attempt, len(self.visit_channels)) - 1]


@cache
def ruleset(version: str) -> RuleSet:
    """Give the rule set of that version, packaged or the city's own; the same object each time."""
    return parse_ruleset(version, ruleset_text(version))


def ruleset_text(version: str) -> str:
    """The rule set of that version as it is written; `RuleSetUnknown` names those there are."""
    if version in packaged():
        return (_FOLDER / f"{version}.toml").read_text(encoding="utf-8")
    if version in (own := own_versions(RULESETS)):
        return own_text(RULESETS, version)
    raise RuleSetUnknown(f"there is no rule set '{version}'; known: {', '.join((*packaged(), *own))}")


def ruleset_tables(version: str) -> Mapping[str, Any]:
    """The values of that rule set as they are written, by table; see `ruleset_text`."""
    return tomllib.loads(ruleset_text(version))


def packaged() -> tuple[str, ...]:
    """The versions that ship with the project."""
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in _FOLDER.iterdir()))


def parse_ruleset(version: str, text: str) -> RuleSet:
    """Read a rule set; `RuleSetInvalid` names the version, the field and what is wrong with it."""
    try:
        tables = tomllib.loads(text)
        written = msgspec.convert(tables, WrittenRuleSet)
    except ValueError as error:
        raise RuleSetInvalid(f"rule set {version}: {error}") from error
    if (flaw := first_of(flaws(version, written, tables))) is not None:
        raise RuleSetInvalid(f"rule set {version}: {flaw.sentence}")
    return _built(written)


def _built(written: WrittenRuleSet) -> RuleSet:
    return RuleSet(
        version=written.version,
        timezone=written.timezone,
        effective_from=written.effective_from,
        limits_given=written.limits_given,
        given_back_days_max=written.given_back_days_max,
        given_ahead_days_max=written.given_ahead_days_max,
        day_kind=written.day_kind,
        roll_if_holiday=written.roll_if_holiday,
        record_fields=tuple(written.record_fields),
        emergency_services=written.emergency_services,
        returns_max=written.returns_max,
        extensions_max=written.extensions_max,
        extension_days_max=written.extension_days_max,
        pauses_max=written.pauses_max,
        pause_days_max=written.pause_days_max,
        co_units_max=written.co_units_max,
        answers_sent_back_max=written.answers_sent_back_max,
        rounds_max=written.rounds_max,
        visit_attempts_max=written.visit_attempts_max,
        visit_spacing=duration_of(written.visit_spacing),
        visit_within=None if written.visit_within is None else duration_of(written.visit_within),
        visit_channels=written.visit_channels,
        contact_days=written.contact_days,
        contact_without_record=duration_of(written.contact_without_record),
        caller_mark_days=written.caller_mark_days,
        ladder=written.ladder,
        classes={urgency: _class_limits(getattr(written.classes, urgency)) for urgency in Urgency},
        proposed={
            folded(subject): urgency
            for urgency in Urgency
            for subject in getattr(written.classes, urgency).subjects
        },
        whistles_max=written.whistles_max,
        called_max=written.called_max,
        whistle={kind: _whistle_limits(getattr(written.whistle, kind)) for kind in WhistleKind},
        telephone=TelephoneRules(
            answer_within=duration_of(written.telephone.answer_within),
            connection_percent=written.telephone.connection_percent,
            window=duration_of(written.telephone.window),
            window_calls_min=written.telephone.window_calls_min,
            short_abandon=duration_of(written.telephone.short_abandon),
            excluded=frozenset(written.telephone.excluded),
        ),
        messages=MessageRules(
            respond_within={
                channel: duration_of(text) for channel, text in written.messages.respond_within.items()
            },
            otherwise=duration_of(written.messages.otherwise),
        ),
        score=_scoring(written.score),
        basis={name: msgspec.convert(entry, ValueBasis) for name, entry in written.basis.items()},
    )


def _class_limits(written: WrittenClass) -> ClassLimits:
    return ClassLimits(
        dispatch=_limit(written.dispatch),
        sign=_limit(written.sign),
        feedback=_limit(written.feedback),
        ladder_step=duration_of(written.ladder_step),
        warnings=tuple(duration_of(text) for text in written.warnings),
        supervision=None if written.supervision is None else duration_of(written.supervision),
    )


def _whistle_limits(written: WrittenWhistle) -> WhistleLimits:
    return WhistleLimits(
        arrival=None if written.arrival is None else duration_of(written.arrival),
        arrival_in={district: duration_of(text) for district, text in written.arrival_in.items()},
        step=duration_of(written.step),
    )


def _scoring(written: WrittenScore) -> Scoring:
    return Scoring(
        counting=Counting(written.counts_in, written.responds_by),
        response=Decimal(written.weights.response),
        resolution=Decimal(written.weights.resolution),
        satisfaction=Decimal(written.weights.satisfaction),
        small_cell=written.small_cell,
        lists={name: _cut(text) for name, text in written.lists.items()},
    )


def _cut(text: str) -> Cut:
    """`top 10 by score`."""
    end, units, _, by = text.split()
    return Cut(end == "top", int(units), Measure(by))


def _limit(text: str | None) -> Limit | None:
    """`7d` is seven days to their end, `24h` is exact; that difference is the reason for two units."""
    if text is None:
        return None
    return Days(int(text[:-1])) if text.endswith("d") else duration_of(text)
