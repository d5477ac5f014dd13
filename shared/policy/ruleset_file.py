"""A rule set as it is written in TOML, and what must hold before it is used."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from shared.events import Level, Urgency
from shared.policy.flaws import Flaw, flaws_of_shape
from shared.policy.limits import DayKind
from shared.policy.scoring import CountsIn, RespondsBy
from shared.text import shown

GIVEN_BACK_DAYS_MAX: Final = 366
"""As `RuleSet.given_back_days_max`, in a rule set that does not say: some limits are over when they are typed in."""
GIVEN_AHEAD_DAYS_MAX: Final = 3_660
"""As `RuleSet.given_ahead_days_max`, in a rule set that does not say: ten years."""
CALLER_MARK_DAYS: Final = 30
"""As `RuleSet.caller_mark_days`, in a rule set that does not say: no text we know says."""

_DurationText = Annotated[
    str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,3}(min|h)$", description="a span such as 15min or 2h")
]
_SecondsText = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,3}s$", description="a span such as 15s")]
_LimitText = Annotated[
    str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,3}(min|h|d)$", description="a limit such as 15min, 2h or 7d")
]
_WeightText = Annotated[
    str, msgspec.Meta(pattern=r"^(0\.[0-9]{1,4}|0|1)$", description="a fraction of 1 such as 0.35")
]
_CutText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(top|bottom) [1-9][0-9]{0,3} by (score|gain|requests|per_10k)$",
        description="a cut such as top 10 by score; by score, gain, requests or per_10k",
    ),
]
_AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
_ManyDays = Annotated[int, msgspec.Meta(ge=0, le=36_525)]
"""At most a hundred years."""


class WrittenClass(msgspec.Struct, forbid_unknown_fields=True):
    """The limits one urgency grants."""

    ladder_step: _DurationText
    dispatch: _LimitText | None = None
    sign: _LimitText | None = None
    feedback: _LimitText | None = None
    warnings: Annotated[tuple[_DurationText, ...], msgspec.Meta(max_length=2)] = ()
    supervision: _DurationText | None = None
    subjects: tuple[Annotated[str, msgspec.Meta(min_length=1)], ...] = ()


# One field a class, not a mapping: msgspec then names the class in its errors, and asks for all of them.
class WrittenClasses(msgspec.Struct, forbid_unknown_fields=True):
    """All urgencies."""

    CRITICAL_2H: WrittenClass
    TIMELY_24H: WrittenClass
    GENERAL_7D: WrittenClass
    COMPLEX_15D: WrittenClass


class WrittenWhistle(msgspec.Struct, forbid_unknown_fields=True):
    """The limits of one kind of whistle."""

    step: _DurationText
    arrival: _DurationText | None = None
    arrival_in: dict[str, _DurationText] = {}


class WrittenWhistles(msgspec.Struct, forbid_unknown_fields=True):
    """All kinds of whistles."""

    KEY_WORK: WrittenWhistle
    JOINT_ENFORCEMENT: WrittenWhistle
    EMERGENCY: WrittenWhistle


class WrittenTelephone(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """See `TelephoneRules`."""

    answer_within: _SecondsText
    connection_percent: Annotated[int, msgspec.Meta(ge=0, le=100)]
    window: _DurationText
    window_calls_min: Annotated[int, msgspec.Meta(ge=1)] = 1
    short_abandon: _SecondsText
    excluded: tuple[Literal["ABANDONED", "BUSY", "TIMEOUT", "SYSTEM_FAIL"], ...]


class WrittenMessages(msgspec.Struct, forbid_unknown_fields=True):
    """See `MessageRules`."""

    respond_within: dict[str, _DurationText]
    otherwise: _DurationText


class WrittenWeights(msgspec.Struct, forbid_unknown_fields=True):
    """The weights of the three rates, as decimal fractions."""

    response: _WeightText
    resolution: _WeightText
    satisfaction: _WeightText


class WrittenScore(msgspec.Struct, forbid_unknown_fields=True):
    """See `shared.policy.scoring.Scoring`."""

    counts_in: CountsIn
    responds_by: RespondsBy
    small_cell: Annotated[int, msgspec.Meta(ge=0)]
    weights: WrittenWeights
    lists: dict[str, _CutText]


class ValueBasis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a value is what it is, so that nobody takes a draft or a choice of ours for law (T31)."""

    source: str
    confidence: Literal["H", "M", "L"]
    standing: Literal["law", "draft", "configuration"]
    id: str = ""
    """The rule's id in docs/rules.md, where it has one."""
    note: str = ""


class WrittenRuleSet(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file; what its fields mean is told at `RuleSet`."""

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
    classes: WrittenClasses
    whistles_max: Annotated[int, msgspec.Meta(ge=0)]
    called_max: _AtLeastOne
    whistle: WrittenWhistles
    telephone: WrittenTelephone
    messages: WrittenMessages
    score: WrittenScore
    basis: dict[str, dict[str, str]]
    contact_without_record: _DurationText = "24h"
    caller_mark_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = CALLER_MARK_DAYS
    given_back_days_max: _ManyDays = GIVEN_BACK_DAYS_MAX
    given_ahead_days_max: _ManyDays = GIVEN_AHEAD_DAYS_MAX
    visit_within: _DurationText | None = None


def flaws(version: str, written: WrittenRuleSet, tables: dict[str, Any]) -> Iterator[Flaw]:
    """All parts of a rule set that do not agree. `tables`: the file as TOML gives it."""
    if written.version != version:
        yield Flaw(("version",), f"version says '{shown(written.version)}', expected '{version}'")
    try:
        ZoneInfo(written.timezone)
    except (LookupError, ValueError, OSError):
        yield Flaw(("timezone",), f"no zone named '{shown(written.timezone)}'")
    if len(set(written.ladder)) < len(written.ladder):
        yield Flaw(("ladder",), "a level stands in it twice")
    for urgency in Urgency:
        given = getattr(written.classes, urgency).feedback is None
        if given != written.limits_given:
            what = "must be absent, since limits_given is true" if written.limits_given else "is missing"
            yield Flaw(("classes", str(urgency), "feedback"), what)
    yield from _flaws_of_parts(written)
    values = {name for table in tables.keys() - {"version", "basis"} for name in _names(table, tables[table])}
    for name in sorted(values - set(written.basis)):
        yield Flaw(("basis",), f"nothing says where {shown(name)} comes from")
    for name in sorted(set(written.basis) - values):
        yield Flaw(("basis", name), "there is no such value")
    for name, entry in written.basis.items():
        yield from _flaws_of_basis(name, entry)


def _flaws_of_parts(written: WrittenRuleSet) -> Iterator[Flaw]:
    for urgency in Urgency:
        before = [duration_of(text) for text in getattr(written.classes, urgency).warnings]
        if before != sorted(set(before), reverse=True):
            at = ("classes", str(urgency), "warnings")
            yield Flaw(at, "the first comes first, so it is the longer time")
    seen: set[str] = set()
    for urgency in Urgency:
        for subject in getattr(written.classes, urgency).subjects:
            if subject in seen:
                why = f"{shown(subject)} stands there twice, expected one class for a subject"
                yield Flaw(("classes", str(urgency), "subjects"), why)
            seen.add(subject)
    weights = written.score.weights
    if sum(map(Decimal, (weights.response, weights.resolution, weights.satisfaction))) != 1:
        yield Flaw(("score", "weights"), "response, resolution and satisfaction do not add up to 1")


def _flaws_of_basis(name: str, entry: dict[str, str]) -> Iterator[Flaw]:
    found = False
    for flaw in flaws_of_shape(entry, ValueBasis, ("basis", name)):
        found = True
        yield flaw
    if not found and entry["standing"] == "law" and entry["confidence"] != "H":
        yield Flaw(("basis", name), "only what is known with confidence H may be called law")


def _names(name: str, value: object) -> Iterator[str]:
    """Give the dotted names of all single values below a table."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _names(f"{name}.{key}", inner)
    else:
        yield name


def duration_of(text: str) -> timedelta:
    """`15s`, `15min` or `2h`."""
    if text.endswith("s"):
        return timedelta(seconds=int(text.removesuffix("s")))
    if text.endswith("min"):
        return timedelta(minutes=int(text.removesuffix("min")))
    return timedelta(hours=int(text.removesuffix("h")))
