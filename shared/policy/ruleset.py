"""The rules of a city that may change: limits, rounds, attempts; dated data, pinned on each complaint (T23).

What the reference does not settle stands here as plain configuration and is labelled so: every value carries
its basis, and only what a norm says with high confidence may be called law (T31).
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from shared.events import Level, Urgency, WhistleKind

_FOLDER: Final = files("shared") / "data" / "rulesets"

GIVEN_BACK_DAYS_MAX: Final = 366
"""As `RuleSet.given_back_days_max`, in a rule set that does not say: some limits are over when they are typed in."""
GIVEN_AHEAD_DAYS_MAX: Final = 3_660
"""As `RuleSet.given_ahead_days_max`, in a rule set that does not say: ten years."""


class RuleSetUnknown(LookupError):  # noqa: N818 -- reads as the sentence it reports
    """No rule set of that version is packaged; the message names those that are."""


class RuleSetInvalid(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """A rule set cannot be used as written; the message names the version and the field."""


class DayKind(StrEnum):
    """Which days a limit in days counts (C4)."""

    NATURAL = "NATURAL"
    WORKING = "WORKING"


class Days(msgspec.Struct, frozen=True):
    """A limit that ends with a day: the n-th after the start day, at 24:00 local."""

    n: int


Limit: TypeAlias = timedelta | Days
"""Exact to the instant (hours, minutes), or to the end of a day."""


class ClassLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one urgency grants; None where the rule set sets no such limit."""

    dispatch: Limit | None = None
    """From acceptance to the first dispatch (C1)."""
    sign: Limit | None = None
    """From the assignment until the unit has signed."""
    feedback: Limit | None = None
    """From dispatch until the unit has answered (C2); None where the limit comes with each request."""
    ladder_step: timedelta
    """The time a level has before the next one is told."""
    warnings: tuple[timedelta, ...] = ()
    """How long before the limit for the answer the unit is warned: yellow, then red."""
    supervision: timedelta | None = None
    """The time supervision has to bring it to an end; None where it has no such limit."""


class WhistleLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of whistle asks of a called unit (G2)."""

    arrival: timedelta | None = None
    """Until it must be there; None where there is no such limit."""
    arrival_in: Mapping[str, timedelta] = {}
    """The same in single districts."""
    step: timedelta
    """The time the district has before the municipality is told."""


class TelephoneRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the telephone is measured by (A1, A2)."""

    answer_within: timedelta
    """From offered to answered; exactly so long is in time (T11)."""
    connection_percent: int
    """Of the calls offered so many must be answered, in any window."""
    window: timedelta
    window_calls_min: int
    """Calls that a window must hold to be told as the worst: of two calls one half says nothing."""
    short_abandon: timedelta
    """Who gave up sooner is counted beside, too: perhaps a wrong number."""
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


class Measure(StrEnum):
    """What a list of the ranking looks at."""

    SCORE = "score"
    GAIN = "gain"
    """Of the score, on the month before; only who gained stands in such a list."""
    REQUESTS = "requests"
    PER_10K = "per_10k"


class Cut(msgspec.Struct, frozen=True):
    """Who stands in a list: so many from one end, and whoever shares the last place."""

    top: bool
    """From the highest; else from the lowest."""
    units: int
    by: Measure


class CountsIn(StrEnum):
    """In which month a complaint counts."""

    VISIT = "VISIT"
    """When the visit closes that its end rests on."""
    DISPATCH = "DISPATCH"
    """When it was first dispatched: then a month is not whole before its last complaint has ended."""


class RespondsBy(StrEnum):
    """What a unit must have done within a limit to have responded."""

    CONTACT = "CONTACT"
    """Spoken to the citizen, or answered."""
    ANSWER = "ANSWER"


class Counting(NamedTuple):
    """What a complaint counts for, and when."""

    counts_in: CountsIn = CountsIn.VISIT
    responds_by: RespondsBy = RespondsBy.CONTACT


class Scoring(msgspec.Struct, frozen=True, kw_only=True):
    """How a month is scored (F1-F4)."""

    counting: Counting
    response: Decimal
    """The weights of the three rates; together 1."""
    resolution: Decimal
    satisfaction: Decimal
    small_cell: int
    """A rate of fewer cases than this is not published; 0 or 1 publishes all."""
    lists: Mapping[str, Cut]


class Basis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a value is what it is, so that nobody takes a draft or a choice of ours for law (T31)."""

    source: str
    confidence: Literal["H", "M", "L"]
    standing: Literal["law", "draft", "configuration"]
    id: str = ""
    """The rule's id in docs/rules.md, where it has one."""
    note: str = ""


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
    """What a record must not leave blank (Q1), by the names of the published contract."""
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
    ladder: tuple[Level, ...]
    """Who watches, from the first to the last."""
    classes: Mapping[Urgency, ClassLimits]
    whistles_max: int
    """Whistles of one complaint."""
    called_max: int
    """Units one whistle calls."""
    whistle: Mapping[WhistleKind, WhistleLimits]
    telephone: TelephoneRules
    messages: MessageRules
    score: Scoring
    basis: Mapping[str, Basis]
    """By dotted name of the value, for example `classes.GENERAL_7D.feedback`."""

    def visit_channel(self, attempt: int) -> str:
        """How the citizen is asked in this attempt, 1 for the first (E1)."""
        return self.visit_channels[min(attempt, len(self.visit_channels)) - 1]


@cache
def ruleset(version: str) -> RuleSet:
    """Give the packaged rule set of that version; the same object each time."""
    known = sorted(entry.name.removesuffix(".toml") for entry in _FOLDER.iterdir())
    if version not in known:
        raise RuleSetUnknown(f"there is no rule set {version!r}; known: {', '.join(known)}")
    return parse_ruleset(version, (_FOLDER / f"{version}.toml").read_text(encoding="utf-8"))


def parse_ruleset(version: str, text: str) -> RuleSet:
    """Read a rule set; `RuleSetInvalid` names the version, the field and what is wrong with it."""
    try:
        tables = tomllib.loads(text)
        written = msgspec.convert(tables, _Written)
        _check(version, written, tables)
        return _built(written)
    except ValueError as error:
        raise RuleSetInvalid(f"rule set {version}: {error}") from error


_DurationText = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,3}(min|h)$")]
_SecondsText = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,3}s$")]
_LimitText = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,3}(min|h|d)$")]
_WeightText = Annotated[str, msgspec.Meta(pattern=r"^(0\.[0-9]{1,4}|0|1)$")]
_CutText = Annotated[
    str, msgspec.Meta(pattern=r"^(top|bottom) [1-9][0-9]{0,3} by (score|gain|requests|per_10k)$")
]
_AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
_ManyDays = Annotated[int, msgspec.Meta(ge=0, le=36_525)]
"""At most a hundred years."""


class _WrittenClass(msgspec.Struct, forbid_unknown_fields=True):
    ladder_step: _DurationText
    dispatch: _LimitText | None = None
    sign: _LimitText | None = None
    feedback: _LimitText | None = None
    warnings: Annotated[tuple[_DurationText, ...], msgspec.Meta(max_length=2)] = ()
    supervision: _DurationText | None = None


# One field a class, not a mapping: msgspec then names the class in its errors, and asks for all of them.
class _WrittenClasses(msgspec.Struct, forbid_unknown_fields=True):
    CRITICAL_2H: _WrittenClass
    TIMELY_24H: _WrittenClass
    GENERAL_7D: _WrittenClass
    COMPLEX_15D: _WrittenClass


class _WrittenWhistle(msgspec.Struct, forbid_unknown_fields=True):
    step: _DurationText
    arrival: _DurationText | None = None
    arrival_in: dict[str, _DurationText] = {}


class _WrittenWhistles(msgspec.Struct, forbid_unknown_fields=True):
    KEY_WORK: _WrittenWhistle
    JOINT_ENFORCEMENT: _WrittenWhistle
    EMERGENCY: _WrittenWhistle


class _WrittenTelephone(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    answer_within: _SecondsText
    connection_percent: Annotated[int, msgspec.Meta(ge=0, le=100)]
    window: _DurationText
    window_calls_min: Annotated[int, msgspec.Meta(ge=1)] = 1
    short_abandon: _SecondsText
    excluded: tuple[Literal["ABANDONED", "BUSY", "TIMEOUT", "SYSTEM_FAIL"], ...]


class _WrittenMessages(msgspec.Struct, forbid_unknown_fields=True):
    respond_within: dict[str, _DurationText]
    otherwise: _DurationText


class _WrittenWeights(msgspec.Struct, forbid_unknown_fields=True):
    response: _WeightText
    resolution: _WeightText
    satisfaction: _WeightText


class _WrittenScore(msgspec.Struct, forbid_unknown_fields=True):
    counts_in: CountsIn
    responds_by: RespondsBy
    small_cell: Annotated[int, msgspec.Meta(ge=0)]
    weights: _WrittenWeights
    lists: dict[str, _CutText]


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    version: str
    timezone: str
    effective_from: date
    limits_given: bool
    day_kind: DayKind
    roll_if_holiday: bool
    record_fields: tuple[
        Literal["title", "content", "address", "district", "street", "subject", "call_id"], ...
    ]
    emergency_services: tuple[str, ...]
    returns_max: Annotated[int, msgspec.Meta(ge=0)]
    extensions_max: Annotated[int, msgspec.Meta(ge=0)]
    extension_days_max: Annotated[int, msgspec.Meta(ge=0, le=366)]
    pauses_max: Annotated[int, msgspec.Meta(ge=0)]
    pause_days_max: Annotated[int, msgspec.Meta(ge=0, le=366)]
    co_units_max: Annotated[int, msgspec.Meta(ge=0)]
    answers_sent_back_max: Annotated[int, msgspec.Meta(ge=0)]
    rounds_max: _AtLeastOne
    visit_attempts_max: _AtLeastOne
    visit_spacing: _DurationText
    visit_channels: Annotated[tuple[Literal["phone", "sms", "web"], ...], msgspec.Meta(min_length=1)]
    contact_days: _AtLeastOne
    ladder: Annotated[tuple[Level, ...], msgspec.Meta(min_length=1)]
    classes: _WrittenClasses
    whistles_max: Annotated[int, msgspec.Meta(ge=0)]
    called_max: _AtLeastOne
    whistle: _WrittenWhistles
    telephone: _WrittenTelephone
    messages: _WrittenMessages
    score: _WrittenScore
    basis: dict[str, dict[str, str]]
    given_back_days_max: _ManyDays = GIVEN_BACK_DAYS_MAX
    given_ahead_days_max: _ManyDays = GIVEN_AHEAD_DAYS_MAX
    visit_within: _DurationText | None = None


def _check(version: str, written: _Written, tables: dict[str, Any]) -> None:
    if written.version != version:
        raise ValueError(f"version says {written.version!r}")
    try:
        ZoneInfo(written.timezone)
    except (LookupError, ValueError, OSError) as error:
        raise ValueError(f"timezone: no zone named {written.timezone!r}") from error
    if len(set(written.ladder)) < len(written.ladder):
        raise ValueError("ladder: a level stands in it twice")
    for urgency in Urgency:
        given = getattr(written.classes, urgency).feedback is None
        if given != written.limits_given:
            what = "must be absent, since limits_given is true" if written.limits_given else "is missing"
            raise ValueError(f"classes.{urgency}.feedback {what}")
    _check_parts(written)
    values = {name for table in tables.keys() - {"version", "basis"} for name in _names(table, tables[table])}
    for name in sorted(values - set(written.basis)):
        raise ValueError(f"basis: nothing says where {name} comes from")
    for name in sorted(set(written.basis) - values):
        raise ValueError(f"basis.{name}: there is no such value")


def _check_parts(written: _Written) -> None:
    for urgency in Urgency:
        before = [_duration(text) for text in getattr(written.classes, urgency).warnings]
        if before != sorted(set(before), reverse=True):
            raise ValueError(f"classes.{urgency}.warnings: the first comes first, so it is the longer time")
    weights = written.score.weights
    if sum(map(Decimal, (weights.response, weights.resolution, weights.satisfaction))) != 1:
        raise ValueError("score.weights: response, resolution and satisfaction do not add up to 1")


def _names(name: str, value: object) -> Iterator[str]:
    """Give the dotted names of all single values below a table."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _names(f"{name}.{key}", inner)
    else:
        yield name


def _built(written: _Written) -> RuleSet:
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
        visit_spacing=_duration(written.visit_spacing),
        visit_within=None if written.visit_within is None else _duration(written.visit_within),
        visit_channels=written.visit_channels,
        contact_days=written.contact_days,
        ladder=written.ladder,
        classes={urgency: _class_limits(getattr(written.classes, urgency)) for urgency in Urgency},
        whistles_max=written.whistles_max,
        called_max=written.called_max,
        whistle={kind: _whistle_limits(getattr(written.whistle, kind)) for kind in WhistleKind},
        telephone=TelephoneRules(
            answer_within=_duration(written.telephone.answer_within),
            connection_percent=written.telephone.connection_percent,
            window=_duration(written.telephone.window),
            window_calls_min=written.telephone.window_calls_min,
            short_abandon=_duration(written.telephone.short_abandon),
            excluded=frozenset(written.telephone.excluded),
        ),
        messages=MessageRules(
            respond_within={
                channel: _duration(text) for channel, text in written.messages.respond_within.items()
            },
            otherwise=_duration(written.messages.otherwise),
        ),
        score=_scoring(written.score),
        basis={name: _basis(name, entry) for name, entry in written.basis.items()},
    )


def _class_limits(written: _WrittenClass) -> ClassLimits:
    return ClassLimits(
        dispatch=_limit(written.dispatch),
        sign=_limit(written.sign),
        feedback=_limit(written.feedback),
        ladder_step=_duration(written.ladder_step),
        warnings=tuple(_duration(text) for text in written.warnings),
        supervision=None if written.supervision is None else _duration(written.supervision),
    )


def _whistle_limits(written: _WrittenWhistle) -> WhistleLimits:
    return WhistleLimits(
        arrival=None if written.arrival is None else _duration(written.arrival),
        arrival_in={district: _duration(text) for district, text in written.arrival_in.items()},
        step=_duration(written.step),
    )


def _scoring(written: _WrittenScore) -> Scoring:
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
    return Days(int(text[:-1])) if text.endswith("d") else _duration(text)


def _duration(text: str) -> timedelta:
    """`15s`, `15min` or `2h`."""
    if text.endswith("s"):
        return timedelta(seconds=int(text.removesuffix("s")))
    if text.endswith("min"):
        return timedelta(minutes=int(text.removesuffix("min")))
    return timedelta(hours=int(text.removesuffix("h")))


def _basis(name: str, entry: dict[str, str]) -> Basis:
    try:
        basis = msgspec.convert(entry, Basis)
    except msgspec.ValidationError as error:
        raise ValueError(f"basis.{name}: {error}") from error
    if basis.standing == "law" and basis.confidence != "H":
        raise ValueError(f"basis.{name}: only what is known with confidence H may be called law")
    return basis
