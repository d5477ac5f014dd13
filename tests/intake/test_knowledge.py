"""What intake makes of an answer from the knowledge base (B2), and how it knows the base."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from msgspec.structs import replace

from services.intake import rules
from services.intake.decisions.recording import AskedToRecord
from services.intake.knowledge.rule import Articles, Valid
from services.intake.views import KnowledgeBase
from shared.events import IntakeRefused, RequestType, TurnedAway
from shared.work import Work
from tests.examples import (
    ANSWERED_DIRECTLY,
    ASKED,
    CALLED_AT,
    CLASSIFIED,
    DAY,
    ID,
    INSTANT,
    RECEIVED,
    RECORD,
    REQUEST,
    told,
)
from tests.spec import Given, Said, spec

KNOWN: Final[Articles] = {
    ("parking-12", 2): Valid(CALLED_AT - 90 * DAY, CALLED_AT - DAY),
    ("parking-12", 3): Valid(CALLED_AT - DAY),
}
CHECKED: Final = replace(ANSWERED_DIRECTLY, checked=True)


def answered(version: int = 3, article: str = "parking-12", **changes: object) -> AskedToRecord:
    return AskedToRecord(
        complaint_id=ID,
        command=replace(
            REQUEST,
            **{"request_type": RequestType.CONSULT, **changes},
            article_id=article,
            article_version=version,
        ),
        ruleset=RECORD.ruleset,
        calendar=RECORD.calendar,
        at=CALLED_AT,
    )


def given(articles: Articles = KNOWN) -> Given:
    return spec(partial(rules.decide, known=articles))()


def refused(said: Said) -> str:
    """Why; the complaint is on record, and dispatch will send it to a unit."""
    received, classified, refusal = said.facts
    assert (received, classified) == (RECEIVED, replace(CLASSIFIED, request_type=RequestType.CONSULT))
    assert isinstance(refusal, IntakeRefused)
    assert (refusal.asked, refusal.refused_at) == ("answer directly", CALLED_AT)
    return refusal.reason


def test_an_answer_from_a_version_that_holds_is_taken_and_says_that_it_was_checked() -> None:
    """B2"""
    given().when(answered()).then(RECEIVED, ASKED, CHECKED)


def test_an_article_nobody_knows_is_no_answer_and_the_complaint_goes_to_a_unit() -> None:
    """B2"""
    said = given().when(answered(article="parking-13"))
    assert refused(said) == "the knowledge base has no version 3 of article parking-13"


def test_a_version_that_never_was_is_no_answer() -> None:
    """B2"""
    said = given().when(answered(4))
    assert refused(said) == "the knowledge base has no version 4 of article parking-12"


def test_a_version_withdrawn_before_the_answer_is_none_and_one_withdrawn_after_it_is() -> None:
    """B2: from the instant it is withdrawn on."""
    why = refused(given().when(answered(2)))
    assert why.startswith("version 2 of article parking-12 was withdrawn at 2021-09-23")
    at_once = {("parking-12", 3): Valid(CALLED_AT - DAY, CALLED_AT)}
    assert "was withdrawn" in refused(given(at_once).when(answered()))
    later = {("parking-12", 3): Valid(CALLED_AT - DAY, CALLED_AT + INSTANT)}
    given(later).when(answered()).then(RECEIVED, ASKED, CHECKED)


def test_a_version_is_no_answer_before_it_holds() -> None:
    """B2"""
    coming = {("parking-12", 3): Valid(CALLED_AT + INSTANT)}
    assert "holds only from" in refused(given(coming).when(answered()))
    given({("parking-12", 3): Valid(CALLED_AT)}).when(answered()).then(RECEIVED, ASKED, CHECKED)


def test_where_no_base_is_kept_nothing_is_checked_and_the_fact_says_so_by_leaving_it_out() -> None:
    """B2"""
    given({}).when(answered(article="of another system")).then(
        RECEIVED, ASKED, replace(ANSWERED_DIRECTLY, article_id="of another system")
    )


def test_a_refused_answer_told_again_is_the_same_request_whatever_the_base_says_by_then() -> None:
    """B2, T7"""
    once = given().when(answered(2)).then_says(type(RECEIVED), type(CLASSIFIED), type(_refusal()))
    once.when(answered(2)).then_nothing()
    spec(partial(rules.decide, known={}))(*once.facts).when(answered(2)).then_nothing()
    asked = told(RECORD, command=replace(REQUEST, request_type=RequestType.CONSULT))
    once.sets_aside(asked, because="says something else (article_id)")


def test_who_is_turned_away_is_not_answered_whatever_article_came_with_it() -> None:
    said = given().when(
        answered(9, turned_away=TurnedAway.REDIRECTED, turned_away_to="12315", turned_away_reason="消费纠纷")
    )
    assert [type(fact).__name__ for fact in said.facts][-1] == "ComplaintTurnedAway"


def _refusal() -> object:
    return given().when(answered(2)).facts[-1]


class _Base(KnowledgeBase):
    """A base that counts how often it is read."""

    def __init__(self, seconds: float, *there: Articles) -> None:
        super().__init__("nowhere", seconds)
        self.reads = 0
        self._there = there

    async def _read(self) -> Articles:
        self.reads += 1
        return self._there[min(self.reads, len(self._there)) - 1]


def _batch(*commands: AskedToRecord) -> Sequence[Work]:
    return [Work(command, command.complaint_id, "event-1") for command in commands]


async def test_the_base_is_read_for_an_answer_and_for_nothing_else() -> None:
    base = _Base(3600, KNOWN)
    await base.look(_batch(RECORD, answered(turned_away=TurnedAway.REDIRECTED)))
    assert base.reads == 0
    await base.look(_batch(RECORD, answered()))
    await base.look(_batch(answered(2)))
    assert (base.reads, base.articles) == (1, KNOWN)


async def test_a_version_that_is_not_known_is_looked_for_at_once() -> None:
    newer = {**KNOWN, ("parking-12", 4): Valid(CALLED_AT)}
    base = _Base(3600, KNOWN, newer)
    await base.look(_batch(answered()))
    await base.look(_batch(answered(4)))
    assert base.articles == newer
    await base.look(_batch(answered(4)))
    assert base.reads == 2


async def test_what_is_too_old_is_read_again_and_an_empty_base_no_sooner() -> None:
    always, seldom = _Base(0, KNOWN), _Base(3600, {})
    for _ in range(3):
        await always.look(_batch(answered()))
        await seldom.look(_batch(answered()))
    assert (always.reads, seldom.reads) == (3, 1)
