"""Whole lives over the four desks, one for each way a life can end."""

from __future__ import annotations

from datetime import timedelta

from shared.complaint import Complaint, due_deadlines
from shared.events import Level, Urgency
from shared.life import waits_for
from tests.lives import NEXT_DUE, Life, Step

HOUR = timedelta(hours=1)
NOW = timedelta(0)


def story(*steps: tuple[timedelta | str, str], urgency: Urgency = Urgency.GENERAL_7D) -> Life:
    """A life in which these things happen, each a while after the one before."""
    life = Life(urgency)
    for wait, what in steps:
        life.lives(Step(wait, what))
    return life


def told(life: Life) -> list[str]:
    return [type(fact).__name__ for fact in life.facts]


def ending(life: Life) -> str:
    assert isinstance(life.case, Complaint)
    assert life.case.ended is not None
    assert due_deadlines(life.case) == {}
    return str(life.case.ended.outcome or life.case.ended.how)


def test_solved_in_the_first_round() -> None:
    life = story((HOUR, "sign"), (8 * HOUR, "answer"), (HOUR, "solved"))
    assert told(life) == [
        "ComplaintReceived",
        "ComplaintClassified",
        "ComplaintDispatched",
        "OrderSigned",
        "OrderAnswered",
        "VisitScheduled",
        "VisitMade",
        "ComplaintClosed",
    ]
    assert ending(life) == "SOLVED"


def test_withdrawn_while_the_unit_works() -> None:
    life = story((HOUR, "sign"), (HOUR, "withdraw"), (HOUR, "answer"))
    assert ending(life) == "ComplaintWithdrawn"
    assert told(life)[-1] == "ReplyRefused"


def test_returned_reviewed_and_answered_by_another() -> None:
    life = story((HOUR, "return"), (HOUR, "approve"), (HOUR, "sign"), (HOUR, "answer"), (HOUR, "solved"))
    assert told(life).count("ComplaintDispatched") == 2
    assert ending(life) == "SOLVED"


def test_nobody_signs_so_it_climbs_until_the_municipality_has_it_answered() -> None:
    life = story(
        (NEXT_DUE, "tick"), (HOUR, "tick"), (timedelta(days=2), "tick"), (HOUR, "answer"), (HOUR, "solved")
    )
    assert told(life).count("ComplaintEscalated") == 2
    assert isinstance(life.case, Complaint)
    assert life.case.level is Level.MUNICIPAL
    assert ending(life) == "SOLVED"


def test_the_limit_expires_the_citizen_says_no_and_the_second_round_solves_it() -> None:
    life = story(
        (HOUR, "sign"),
        (timedelta(days=8), "tick"),
        (HOUR, "unsolved"),
        (HOUR, "answer"),
        (HOUR, "solved"),
    )
    assert "FeedbackLimitMissed" in told(life)
    assert "ComplaintReopened" in told(life)
    assert ending(life) == "SOLVED"


def test_never_solved_in_all_rounds_it_closes_with_the_citizens_no() -> None:
    life = story(*[(HOUR, "answer"), (HOUR, "unsolved")] * 3)
    assert told(life).count("ComplaintReopened") == 2
    assert ending(life) == "UNSOLVED"


def test_unreached_in_all_attempts() -> None:
    life = story((HOUR, "answer"), *[(5 * HOUR, "unreached")] * 3)
    assert ending(life) == "UNREACHED"


def test_closed_by_an_approved_exception() -> None:
    assert ending(story((HOUR, "sign"), (HOUR, "exception"))) == "EXCEPTION"


def test_two_hours_for_a_matter_of_life_and_property() -> None:
    life = story((timedelta(minutes=5), "sign"), (2 * HOUR, "tick"), urgency=Urgency.CRITICAL_2H)
    assert told(life)[-3:] == ["FeedbackLimitMissed", "ComplaintEscalated", "VisitScheduled"]


def test_every_word_told_twice_changes_nothing_more() -> None:
    once = story((HOUR, "sign"), (HOUR, "answer"), (HOUR, "solved"))
    twice = story(
        (HOUR, "sign"), (NOW, "sign"), (HOUR, "answer"), (NOW, "answer"), (HOUR, "solved"), (NOW, "solved")
    )
    changes = [fact for fact in told(twice) if not fact.endswith("Refused")]
    assert changes == told(once)


def test_at_every_point_of_a_life_it_is_known_whom_it_waits_for() -> None:
    life = Life()
    for what in ("sign", "answer", "unreached", "unsolved", "answer", "solved"):
        assert isinstance(life.case, Complaint)
        assert waits_for(life.case) is not None
        life.lives(Step(5 * HOUR, what))
    assert ending(life) == "SOLVED"
