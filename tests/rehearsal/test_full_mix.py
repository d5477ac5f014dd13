"""The mix `full`: every input is said, at rates that have their basis, and every life ends all the same."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from functools import cache
from importlib.resources import files

import pytest

from hotline.lab.mix import Mix
from hotline.lab.simulation.asked_for import WISHES, AskedFor, asked_for
from hotline.lab.simulation.behaviour import CHOICE, VERSION, BehaviourInvalid, behaviour, parsed
from hotline.lab.simulation.telephony import ABANDONED, MISTAKEN, WITHDRAWN
from hotline.lab.simulation.units import CONTACT_FAILS, CONTACTS, NEVER_ANSWERED, RETURNED, SILENT, TELLS
from shared import inputs
from shared.complaint import Stage, stage_of
from shared.events import (
    AnswerSentBack,
    CouncilDecided,
    ExclusionApproved,
    ExclusionRejected,
    ExtensionApproved,
    ExtensionRejected,
    PauseApproved,
    PauseRejected,
    RequestRepeated,
    SupervisionDecided,
    TerminationApproved,
    TerminationRejected,
    WhistleReleased,
)
from shared.inputs import INPUTS, Input
from tests.lived import Hotline, lived, noticed_apart

LIVED = 0.004


@cache
def whole() -> Hotline:
    return lived(timedelta(hours=48), Mix.FULL, scale=0.05)


@cache
def by_six_hours() -> Hotline:
    return lived(timedelta(hours=6), Mix.FULL, seed=3, scale=LIVED)


@pytest.mark.parametrize("kind", INPUTS.values(), ids=lambda kind: kind.__name__)
def test_somebody_says_every_input(kind: type[Input]) -> None:
    assert whole().said[kind] > 0


def test_every_life_of_the_full_mix_ends() -> None:
    assert {stage_of(case) for case in whole().cases.values()} == {Stage.ENDED}


def test_what_is_asked_for_is_granted_and_refused() -> None:
    kinds = Counter(type(fact) for facts in whole().facts.values() for fact in facts)
    for kind in (
        AnswerSentBack,
        CouncilDecided,
        ExclusionApproved,
        ExclusionRejected,
        ExtensionApproved,
        ExtensionRejected,
        PauseApproved,
        PauseRejected,
        RequestRepeated,
        SupervisionDecided,
        TerminationApproved,
        TerminationRejected,
        WhistleReleased,
    ):
        assert kinds[kind] > 0, kind


@pytest.mark.parametrize("hours", [1, 200, 2000])
def test_facts_of_the_full_mix_do_not_depend_on_how_far_the_clock_jumps(hours: int) -> None:
    one, other = by_six_hours(), lived(timedelta(hours=hours), Mix.FULL, seed=3, scale=LIVED)
    assert one.facts.keys() == other.facts.keys()
    for complaint, facts in one.facts.items():
        assert list(map(noticed_apart, facts)) == list(map(noticed_apart, other.facts[complaint]))


@pytest.mark.parametrize("seed", [2, 4, 5])
def test_another_seed_of_the_full_mix_lives_to_the_end_as_well(seed: int) -> None:
    cases = lived(timedelta(hours=48), Mix.FULL, seed=seed, scale=0.016).cases
    assert {stage_of(case) for case in cases.values()} == {Stage.ENDED}


def test_both_mixes_hear_the_same_citizens() -> None:
    """Everything that comes in by itself in the plain mix comes in the full one too, to the letter."""
    plain = lived(timedelta(hours=48), scale=LIVED)
    full = lived(timedelta(hours=48), Mix.FULL, scale=LIVED)
    assert plain.facts.keys() == full.facts.keys()
    assert [facts[0] for facts in plain.facts.values()] == [full.facts[one][0] for one in plain.facts]


# -- the rates


def test_the_plain_people_keep_the_rates_of_the_file() -> None:
    """They stand in the code, for digests are recorded of them; the file of this version says the same."""
    rates = behaviour(VERSION)
    assert rates.rate(inputs.CallAnswered) == pytest.approx(1 - ABANDONED)
    assert rates.rate(inputs.WithdrawRequest) == WITHDRAWN
    assert rates.rate(inputs.CorrectRequest) == MISTAKEN
    assert rates.rate(inputs.SignOrder) == pytest.approx(1 - SILENT)
    assert rates.rate(inputs.AnswerOrder) == pytest.approx(1 - NEVER_ANSWERED)
    assert rates.rate(inputs.RequestReturn) == RETURNED
    assert rates.rate(inputs.RecordContact) == CONTACTS
    assert rates.rate(inputs.RecordContactFailed) == CONTACT_FAILS
    assert rates.rate(inputs.ReportProgress) == TELLS


def text() -> str:
    return (files("hotline.lab.simulation") / "data" / f"{VERSION}.toml").read_text(encoding="utf-8")


def test_every_rate_names_a_source_of_the_reference_or_is_called_a_choice() -> None:
    for name, rate in behaviour().inputs.items():
        assert re.search(r"\(S[0-9]+\)|§[0-9]", rate.basis.source) or rate.basis.source == CHOICE, name


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("rate = 0.06", "rate = 6"), "Expected `float` <= 1"),
        (("[inputs.BlowWhistle]", "[inputs.BlowTrumpet]"), "BlowTrumpet: no such input"),
        (("[inputs.BlowWhistle]", "[inputs.BlowWhistle.deeper]"), "inputs"),
        (('of = "disputes"', 'of = " "'), "inputs.DecideCouncil.of: blank"),
        (("as_of = 2026-12-02", "as_of = 2021-12-02"), "lies after as_of 2021-12-02"),
        (('version = "behaviour', 'version = "misbehaviour'), "version: says misbehaviour"),
        (("as_of", "as_off"), "as_off"),
        (("rate = 0.06", "rate ="), "Invalid value"),
    ],
)
def test_a_file_of_rates_that_cannot_be_used_is_refused_with_its_place(
    change: tuple[str, str], told: str
) -> None:
    with pytest.raises(BehaviourInvalid, match=told):
        parsed(text().replace(*change, 1), VERSION)


def test_an_input_without_a_rate_is_refused_by_name() -> None:
    begin = text().index("[inputs.GiveRating]")
    shorter = text()[:begin] + text()[text().index("# the unit that has the order") :]
    with pytest.raises(BehaviourInvalid, match="no rate for GiveRating"):
        parsed(shorter, VERSION)


def test_rates_that_are_not_there_name_those_that_are() -> None:
    with pytest.raises(BehaviourInvalid, match=VERSION):
        behaviour("behaviour-1999-01")


# -- the figures


def test_what_came_of_a_wish_is_counted_from_inputs_and_facts() -> None:
    said = {inputs.RequestExtension.TYPE: 10, inputs.WithdrawRequest.TYPE: 3}
    facts = {
        "ExtensionRequested": 8,
        "ExtensionApproved": 5,
        "ExtensionRejected": 2,
        "ComplaintWithdrawn": 2,
    }
    found = asked_for(said, facts)
    assert found["extensions"] == AskedFor(asked=10, granted=5, refused=4)
    assert found["withdrawals"] == AskedFor(asked=3, granted=2, refused=1)
    assert found["whistles"] == AskedFor(asked=0, granted=0, refused=0)


def test_the_full_mix_has_a_figure_of_every_wish_and_none_is_more_than_was_asked() -> None:
    said = {kind.TYPE: times for kind, times in whole().said.items()}
    facts = Counter(type(fact).__name__ for life in whole().facts.values() for fact in life)
    for name, one in asked_for(said, facts).items():
        assert 0 < one.granted <= one.asked, name
        assert 0 <= one.refused <= one.asked - one.granted, name


def test_each_wish_that_a_review_decides_is_counted() -> None:
    counted = {wish.said.__name__ for wish in WISHES.values()}
    reviewed = {
        kind.__name__.removeprefix("Review")
        for kind in INPUTS.values()
        if "approved" in kind.__struct_fields__
    }
    assert {f"Request{wish}" for wish in reviewed} <= counted
