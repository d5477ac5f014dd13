"""Decisions of reviewers and councils."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.outcome import say_about
from hotline.cli.review.app import REVIEWER, Reason, ReviewerNamed, commands
from hotline.cli.run import Json, fail, listed, one_of, run
from hotline.cli.speaking import STOPPED, ComplaintNamed, speaks

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.city.registry import City
    from hotline.cli.outcome import When
    from shared.complaint import Complaint
    from shared.events import Fact
    from shared.inputs import Input


_Asked = Annotated[
    str,
    typer.Option(
        "--asked",
        help="Of several: return, extension, pause, termination or exclusion, as the list shows them.",
    ),
]


@commands.command()
@speaks
def approve(
    complaint: ComplaintNamed,
    asked: _Asked = "",
    to: Annotated[str, typer.Option(metavar="UNIT", help="Of a return: where it goes instead.")] = "",
    reason: Reason = "",
    reviewer: ReviewerNamed = REVIEWER,
    *,
    json: Json = False,
) -> None:
    """Approve what the unit asked for: a return, more time, a pause, a termination or an exclusion from its score."""
    decided = _decided(complaint, asked, reviewer, reason, to, approved=True, json=json)
    run(decided, interrupted=STOPPED)


@commands.command()
@speaks
def reject(
    complaint: ComplaintNamed,
    reason: Reason,
    asked: _Asked = "",
    reviewer: ReviewerNamed = REVIEWER,
    *,
    json: Json = False,
) -> None:
    """Reject what the unit asked for; it keeps the order and its limit."""
    decided = _decided(complaint, asked, reviewer, reason, "", approved=False, json=json)
    run(decided, interrupted=STOPPED)


@commands.command()
@speaks
def council(
    complaint: ComplaintNamed,
    to: Annotated[
        str, typer.Option(metavar="UNIT", help="The unit it belongs to; may be the one that has it.")
    ],
    participants: Annotated[str, typer.Option(help="The participants, with commas between.")],
    reason: Reason,
    co_units: Annotated[
        str, typer.Option("--with", metavar="UNITS", help="The units that help, with commas.")
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Write down whose it is after those concerned met; from then on nobody returns it."""

    def said(case: Complaint, city: City) -> Input:
        from hotline.lookup import unit_named
        from shared import inputs

        return inputs.DecideCouncil(
            complaint_id=case.complaint_id,
            assignment=_assignment(case),
            to_unit=unit_named(to, city.catalogue),
            participants=listed(participants),
            co_units=tuple(unit_named(unit, city.catalogue) for unit in listed(co_units)),
            reason=reason,
        )

    run(_say(complaint, said, json=json), interrupted=STOPPED)


@commands.command()
@speaks
def helper(
    complaint: ComplaintNamed,
    unit: Annotated[str, typer.Option(help="The unit that must help.")],
    reason: Reason,
    reviewer: ReviewerNamed = REVIEWER,
    *,
    json: Json = False,
) -> None:
    """Ask another unit to help the one that leads."""

    def said(case: Complaint, city: City) -> Input:
        from hotline.lookup import unit_named
        from shared import inputs

        return inputs.AddCoUnit(
            complaint_id=case.complaint_id,
            co_unit=unit_named(unit, city.catalogue),
            reason=reason,
            added_by=reviewer,
        )

    run(_say(complaint, said, json=json), interrupted=STOPPED)


@commands.command(name="send-back")
@speaks
def send_back(
    complaint: ComplaintNamed, reason: Reason, reviewer: ReviewerNamed = REVIEWER, *, json: Json = False
) -> None:
    """Send a unit's answer back before the citizen is asked; its limit runs on."""

    def said(case: Complaint, _: City) -> Input:
        from shared import inputs

        return inputs.SendBackAnswer(
            complaint_id=case.complaint_id, assignment=_assignment(case), reviewer=reviewer, reason=reason
        )

    run(_say(complaint, said, json=json), interrupted=STOPPED)


@commands.command()
@speaks
def reclassify(
    complaint: ComplaintNamed,
    urgency: Annotated[str, typer.Option(help="CRITICAL_2H, TIMELY_24H, GENERAL_7D or COMPLEX_15D.")],
    reason: Reason,
    reviewer: ReviewerNamed = REVIEWER,
    *,
    json: Json = False,
) -> None:
    """Give it another urgency, before its limit; the whole counts from the first dispatch."""
    from shared.events import Urgency

    one_of("--urgency", urgency, list(Urgency))

    def said(case: Complaint, _: City) -> Input:
        from shared import inputs

        return inputs.ReclassifyComplaint(
            complaint_id=case.complaint_id,
            urgency=Urgency(urgency),
            reason=reason,
            reclassified_by=reviewer,
        )

    run(_say(complaint, said, json=json), interrupted=STOPPED)


async def _decided(
    complaint: str, asked: str, reviewer: str, reason: str, to: str, *, approved: bool, json: bool
) -> None:
    if asked:
        from hotline.casefile.questions import QUESTIONS

        one_of("--asked", asked, QUESTIONS)

    def said(case: Complaint, city: City) -> Input:
        from hotline.lookup import unit_named
        from shared import inputs
        from shared.complaint import open_questions

        to_unit = unit_named(to, city.catalogue) if to else None
        waiting = open_questions(case)
        if len(waiting) > 1 and not asked:
            fail(f"Several questions wait: {', '.join(waiting)}. Name one by --asked.", code=2)
        what = asked or next(iter(waiting), "")
        if to and what != "return":
            fail(
                f"--to: only a return goes elsewhere; {what or 'nothing'} waits for a decision here.", code=2
            )
        about: dict[str, Any] = {
            "complaint_id": case.complaint_id,
            "assignment": _assignment(case),
            "approved": approved,
            "reviewer": reviewer,
            "reason": reason,
        }
        if what == "extension":
            return inputs.ReviewExtension(**about)
        if what == "pause":
            return inputs.ReviewPause(**about)
        if what == "termination":
            return inputs.ReviewTermination(**about)
        if what == "exclusion":
            del about["assignment"]
            return inputs.ReviewExclusion(**about)
        if what == "dispute":
            fail("A dispute is for a council: `hotline review council COMPLAINT --to UNIT …`.")
        return inputs.ReviewReturn(**about, to_unit=to_unit)

    await _say(complaint, said, json=json)


async def _say(complaint: str, said: Callable[[Complaint, City], Input], *, json: bool) -> None:
    """Say it on the reviewers' topic and tell what the log made of it."""
    from shared.topics import DISPATCH_REVIEWS

    await say_about(complaint, DISPATCH_REVIEWS, said, _told_of, json=json)


def _told_of(facts: list[Fact], when: When) -> str:  # noqa: C901, PLR0911, PLR0912 -- a line a fact
    from shared import events as e

    for fact in facts:
        match fact:
            case e.ReturnApproved():
                (sent,) = (f for f in facts if isinstance(f, e.ComplaintDispatched))
                return f"Returned: it lies with {sent.unit} now."
            case e.ExtensionApproved():
                return f"Extended until {when(fact.new_due_at)}."
            case e.PauseApproved():
                return f"Its clock stands still until {when(fact.until)}."
            case e.TerminationApproved():
                return "Terminated: the complaint is closed as an exception."
            case e.ExclusionApproved():
                return f"Left out: it counts for nothing in the score of {fact.unit}."
            case e.ExclusionRejected():
                return f"Rejected: it counts in the score of {fact.unit}."
            case e.ReturnRejected() | e.ExtensionRejected() | e.PauseRejected() | e.TerminationRejected():
                return f"Rejected: {fact.unit} keeps the order and its limit."
            case e.CouncilDecided():
                return f"Decided: it is {fact.to_unit}'s, and is not returned any more."
            case e.AnswerSentBack():
                return f"Sent back: {fact.unit} must answer again, by the same limit."
            case e.CoUnitAdded():
                return f"{fact.co_unit} is told to help {fact.unit}."
            case e.ComplaintReclassified():
                return f"It is {fact.urgency} now: to be answered by {when(fact.due_at)}."
            case _:
                continue
    return "It was so already; nothing changed."


def _assignment(case: Complaint) -> int:
    return 1 if case.order is None else case.order.assignment
