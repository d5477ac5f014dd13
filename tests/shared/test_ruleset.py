"""The packaged rule sets, and the labels that keep a draft or a choice from passing for law."""

from datetime import date, timedelta
from importlib.resources import files

import pytest

from shared.events import Level, Urgency
from shared.policy.catalogue import catalogue
from shared.policy.limits import DayKind, Days
from shared.policy.ruleset import RuleSetInvalid, RuleSetUnknown, parse_ruleset, ruleset
from shared.versions import RULESET

VERSIONS = ["beijing-draft-2021", "beijing-draft-2021.2", "boston-311-2011"]
BEIJING = ruleset("beijing-draft-2021")
BOSTON = ruleset("boston-311-2011")
CURRENT = ruleset(RULESET)


def text_of(version: str) -> str:
    return (files("shared") / "data" / "rulesets" / f"{version}.toml").read_text(encoding="utf-8")


def minutes(n: int) -> timedelta:
    return timedelta(minutes=n)


def hours(n: int) -> timedelta:
    return timedelta(hours=n)


@pytest.mark.parametrize(
    ("urgency", "dispatch", "feedback"),
    [
        (Urgency.CRITICAL_2H, hours(1), hours(2)),
        (Urgency.TIMELY_24H, hours(2), hours(24)),
        (Urgency.GENERAL_7D, hours(24), Days(7)),
        (Urgency.COMPLEX_15D, hours(24), Days(15)),
    ],
)
def test_beijing_grants_what_the_draft_says(
    urgency: Urgency, dispatch: timedelta, feedback: timedelta | Days
) -> None:
    """C1, C2, §5.1."""
    assert BEIJING.classes[urgency].dispatch == dispatch
    assert BEIJING.classes[urgency].feedback == feedback


@pytest.mark.parametrize(
    ("urgency", "sign", "ladder_step"),
    [
        (Urgency.CRITICAL_2H, minutes(15), hours(1)),
        (Urgency.TIMELY_24H, hours(1), hours(8)),
        (Urgency.GENERAL_7D, hours(8), hours(24)),
        (Urgency.COMPLEX_15D, hours(8), hours(24)),
    ],
)
def test_beijings_open_questions_are_answered_by_configuration(
    urgency: Urgency, sign: timedelta, ladder_step: timedelta
) -> None:
    """§13: sign limit and ladder are unknown."""
    assert BEIJING.classes[urgency].sign == sign
    assert BEIJING.classes[urgency].ladder_step == ladder_step


def test_beijing_counts_natural_days_in_its_own_zone_and_does_not_roll() -> None:
    """C3, C4."""
    assert (BEIJING.timezone, BEIJING.day_kind, BEIJING.roll_if_holiday) == (
        "Asia/Shanghai",
        DayKind.NATURAL,
        False,
    )
    assert (BEIJING.effective_from, BEIJING.limits_given) == (date(2021, 9, 24), False)


def test_beijing_caps_returns_rounds_and_visits() -> None:
    """D3, §13.8."""
    assert (BEIJING.returns_max, BEIJING.rounds_max) == (2, 3)
    assert (BEIJING.visit_attempts_max, BEIJING.visit_spacing) == (3, hours(4))


def test_boston_brings_its_limits_with_the_request() -> None:
    """The backtest: no limit of ours may stand beside the city's own."""
    assert (BOSTON.limits_given, BOSTON.timezone) == (True, "America/New_York")
    for limits in BOSTON.classes.values():
        assert (limits.dispatch, limits.sign, limits.feedback) == (None, None, None)
        assert limits.ladder_step == hours(24)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_urgency_has_its_class_and_the_ladder_climbs_to_the_city(version: str) -> None:
    """§5.1, R18."""
    rules = ruleset(version)
    assert set(rules.classes) == set(Urgency)
    assert rules.ladder == (Level.UNIT, Level.DISTRICT, Level.MUNICIPAL)


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_that_is_not_law_is_called_law(version: str) -> None:
    """T31: the limits of 2021 are a draft's, as that for the web (A3); emergencies (R4), the telephone (A1, A2) and
    what the national standard says of messages (A3) are law; the rest is not."""
    for name, basis in ruleset(version).basis.items():
        sure = basis.confidence == "H"
        of_a_class = basis.id in {"C1", "C2"} and name.startswith("classes.")
        is_draft = sure and (of_a_class or (basis.id, basis.source) == ("A3", "S6"))
        is_law = basis.id in {"R4", "A1", "A2"} or (sure and (basis.id, basis.source) == ("A3", "S12, S13"))
        assert basis.standing == ("draft" if is_draft else "law" if is_law else "configuration"), name


def test_a_version_is_loaded_once_and_cannot_be_changed() -> None:
    """T23: what a complaint was born under stays as it was."""
    assert ruleset("beijing-draft-2021") is BEIJING
    with pytest.raises(AttributeError):
        BEIJING.rounds_max = 9  # type: ignore[misc]  # that it is refused is the point


def test_a_newer_rule_set_leaves_the_older_as_it_was() -> None:
    """T23: two versions live side by side."""
    newer_text = text_of("beijing-draft-2021").replace('"beijing-draft-2021"', '"newer"')
    newer = parse_ruleset("newer", newer_text.replace('feedback = "7d"', 'feedback = "5d"'))
    assert newer.classes[Urgency.GENERAL_7D].feedback == Days(5)
    assert ruleset("beijing-draft-2021").classes[Urgency.GENERAL_7D].feedback == Days(7)


def test_an_unknown_version_is_named_together_with_the_known_ones() -> None:
    """T23: an old complaint must not silently be judged by another rule set."""
    with pytest.raises(
        RuleSetUnknown, match=r"no rule set 'beijing-2019'; known: beijing-draft-2021, beijing-draft-2021.2"
    ):
        ruleset("beijing-2019")


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        ('version = "beijing-draft-2021"', 'version = "other"', "version says 'other'"),
        ("returns_max = 2", "returns_max = -1", r"`\$.returns_max`"),
        ("rounds_max = 3", "rounds_max = 0", r"`\$.rounds_max`"),
        ("rounds_max = 3", 'rounds_max = "3"', r"`\$.rounds_max`"),
        ("rounds_max = 3", "", "missing required field `rounds_max`"),
        ("rounds_max = 3", "rounds_max = 3\nrounds_min = 1", "unknown field `rounds_min`"),
        ('day_kind = "NATURAL"', 'day_kind = "LUNAR"', r"'LUNAR' - at `\$.day_kind`"),
        ("effective_from = 2021-09-24", "effective_from = 24", r"`\$.effective_from`"),
        ('"Asia/Shanghai"', '"Asia/Peking"', "timezone: no zone named 'Asia/Peking'"),
        ('"DISTRICT", "MUNICIPAL"]', '"UNIT"]', "ladder: a level stands in it twice"),
        ('["UNIT", "DISTRICT", "MUNICIPAL"]', "[]", r"`\$.ladder`"),
        ('feedback = "2h"', 'feedback = "2 hours"', r"`\$.classes.CRITICAL_2H.feedback`"),
        ('feedback = "7d"', 'feedback = "0d"', r"`\$.classes.GENERAL_7D.feedback`"),
        ('visit_spacing = "4h"', 'visit_spacing = "1d"', r"`\$.visit_spacing`"),
        ('feedback = "15d"', "", "classes.COMPLEX_15D.feedback: is missing"),
        ("limits_given = false", "limits_given = true", "classes.CRITICAL_2H.feedback: must be absent"),
        ("[classes.TIMELY_24H]", "[classes.TIMELY_48H]", "unknown field `TIMELY_48H`"),
        ("returns_max = {", "returns = {", "basis: nothing says where returns_max comes from"),
        (
            "[basis]",
            '[basis]\nmood = { source = "", confidence = "L", standing = "draft" }',
            "basis.mood: there is",
        ),
        (
            '"L", standing = "configuration"',
            '"L", standing = "law"',
            "basis.roll_if_holiday: only what is known",
        ),
        (
            '"L", standing = "configuration"',
            '"L", standing = "folklore"',
            "basis.roll_if_holiday.standing: .*folklore",
        ),
        ("[basis]", "[basis", "at line"),
    ],
)
def test_a_broken_rule_set_is_refused_by_the_name_of_the_field(good: str, bad: str, complaint: str) -> None:
    """T31 and loading: the message names the version, the field and what is wrong with it."""
    text = text_of("beijing-draft-2021")
    assert good in text
    with pytest.raises(RuleSetInvalid, match=rf"rule set beijing-draft-2021: (?s:.*){complaint}"):
        parse_ruleset("beijing-draft-2021", text.replace(good, bad, 1))


def test_water_power_gas_and_heat_are_proposed_as_the_class_of_24_hours() -> None:
    """C2: basic livelihood; each name is a subject of the example catalogue."""
    assert {known for known, urgency in CURRENT.proposed.items() if urgency is Urgency.TIMELY_24H} == {
        "公共服务/供水",
        "公共服务/供电",
        "公共服务/供气",
        "公共服务/供暖",
    }
    assert set(CURRENT.proposed) <= set(catalogue("").subjects)
    assert CURRENT.class_for(" 公共服务／供水 ") is Urgency.TIMELY_24H
    assert CURRENT.class_for("市场管理/消费纠纷") is Urgency.GENERAL_7D
    assert ruleset("boston-311-2011").proposed == {}


def test_a_subject_has_one_class() -> None:
    twice = text_of(RULESET).replace('["公共服务/供水", ', '["公共服务/供水", "公共服务/供水", ')
    with pytest.raises(RuleSetInvalid, match="公共服务/供水 stands there twice"):
        parse_ruleset(RULESET, twice)
