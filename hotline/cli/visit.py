"""`hotline visit`: ask citizens, as the dialler or a person does; only the citizen judges (E2)."""

from __future__ import annotations

import json as json_module
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.listing import LISTED, After, District, Limit, Subject, UrgencyOnly, of_urgency, tell_listed
from hotline.cli.outcome import say_about
from hotline.cli.run import Json, demand_words, one_of, run
from hotline.cli.speaking import STOPPED, ComplaintNamed, speaks
from hotline.parsing import CHANNELS
from hotline.terminal import say, say_json, say_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotline.casefile.visits import VisitPage, VisitTaken
    from hotline.cli.outcome import When
    from hotline.readside.lists import Filter
    from shared.complaint import Complaint, Visit
    from shared.events import Fact
    from shared.inputs import Input

visit = typer.Typer(
    help="Ask citizens whether it is solved: list visits, take one, write down the judgement.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Channel = Annotated[str, typer.Option(help=f"One of {', '.join(CHANNELS)}.")]


@visit.command("list")
def list_(
    *,
    reason: Annotated[
        str, typer.Option(help="Only after an answer (ANSWERED) or a missed limit (EXPIRED).")
    ] = "",
    unit: Annotated[str, typer.Option(help="Only about this unit.")] = "",
    subject: Subject = "",
    district: District = "",
    urgency: UrgencyOnly = "",
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those whose limit by the rule set has passed.")
    ] = False,
    later: Annotated[bool, typer.Option("--later", help="Those too that are not to be made yet.")] = False,
    limit: Limit = LISTED,
    after: After = "",
    json: Json = False,
) -> None:
    """List the visits that may be made now, the longest due first: by which channel, about which unit, who has one."""
    from hotline.casefile.visits import visit_line, visit_row
    from hotline.readside.lists import Filter
    from shared.events.base import VisitReason

    if reason:
        one_of("--reason", reason, list(VisitReason))
    only = of_urgency(urgency, Filter(role=reason, unit=unit, subject=subject, district=district))
    page = run(_listed(only, later=later, overdue=overdue, after=after, most=limit))
    tell_listed(
        page.looked,
        partial(visit_row, page),
        partial(visit_line, page),
        nothing="Nobody is to be asked now.",
        json=json,
    )


@visit.command()
def take(
    complaint: ComplaintNamed,
    who: Annotated[str, typer.Option("--as", help="Your name: it is written down with the reading.")],
    *,
    json: Json = False,
) -> None:
    """Take a visit: nobody else asks meanwhile, and you read the citizen's number for this visit alone."""
    demand_words("--as", who)
    taken = run(_take(complaint, who))
    if json:
        say_json(json_module.dumps(_taken(taken), ensure_ascii=False))
    else:
        _print(taken)


@visit.command()
@speaks
def answer(
    complaint: ComplaintNamed,
    reason: Annotated[str, typer.Option(help="The citizen's own words.")] = "",
    channel: _Channel = "phone",
    *,
    solved: Annotated[bool, typer.Option("--solved/--not-solved", help="The citizen's judgement.")],
    satisfied: Annotated[bool, typer.Option("--satisfied/--not-satisfied", help="The citizen's judgement.")],
    json: Json = False,
) -> None:
    """Write down the citizen's judgement: solved, it closes; not solved, the unit acts again."""
    from shared.inputs import RecordVisit

    one_of("--channel", channel, CHANNELS)

    def said(case: Complaint, now: Visit) -> Input:
        return RecordVisit(
            complaint_id=case.complaint_id,
            visit=now.visit,
            attempt=now.attempt,
            solved=solved,
            satisfied=satisfied,
            reason=reason,
            channel=channel,
        )

    run(_say(complaint, said, json=json), interrupted=STOPPED)


@visit.command()
@speaks
def unreached(
    complaint: ComplaintNamed,
    cause: Annotated[str, typer.Option(help="Such as no_answer, busy, wrong_number.")] = "no_answer",
    channel: _Channel = "phone",
    *,
    json: Json = False,
) -> None:
    """Write down that the citizen was not reached: that is no judgement, and he is asked again later."""
    from shared.inputs import RecordUnreached

    one_of("--channel", channel, CHANNELS)

    def said(case: Complaint, now: Visit) -> Input:
        return RecordUnreached(
            complaint_id=case.complaint_id,
            visit=now.visit,
            attempt=now.attempt,
            cause=cause,
            channel=channel,
        )

    run(_say(complaint, said, json=json), interrupted=STOPPED)


async def _listed(only: Filter, *, later: bool, overdue: bool, after: str, most: int) -> VisitPage:
    from deploy.city.registry import city_up
    from hotline.casefile.visits import due_visits

    return await due_visits(city_up(), only=only, later=later, overdue=overdue, after=after, most=most)


async def _take(complaint: str, who: str) -> VisitTaken:
    from deploy.city.registry import city_up
    from hotline.casefile.visits import take as taken

    return await taken(city_up(), complaint, who)


async def _say(complaint: str, said: Callable[[Complaint, Visit], Input], *, json: bool) -> None:
    """Say it on the dialler's topic and tell what the log made of it."""
    from hotline.casefile.visits import visit_of
    from shared.topics import FEEDBACK_VISIT_RESULTS

    await say_about(
        complaint,
        FEEDBACK_VISIT_RESULTS,
        lambda case, _: said(case, visit_of(case)),
        _told_of,
        json=json,
    )


def _told_of(facts: list[Fact], when: When) -> str:
    from shared import events as e

    for fact in facts:
        match fact:
            case e.ComplaintClosed():
                return f"The complaint is closed: {fact.outcome.lower()}."
            case e.ComplaintReopened():
                return f"Not solved: {fact.unit} acts again, round {fact.round}."
            case e.VisitScheduled():
                return (
                    f"The citizen is asked again, not before {when(fact.visit_at)} (attempt {fact.attempt})."
                )
            case e.VisitUnreached() if len(facts) == 1:
                return "On record. The unit still owes its answer; the citizen is asked when it comes."
            case _:
                continue
    return "It was so already; nothing changed."


def _contact(taken: VisitTaken) -> dict[str, Any]:
    contact = taken.reading.contact
    return {} if contact is None else {name: getattr(contact, name) for name in contact.__struct_fields__}


def _taken(taken: VisitTaken) -> dict[str, Any]:
    from shared.complaint import whole_content

    case, now = taken.case, taken.visit
    return {
        "complaint_id": case.complaint_id,
        "complaint_number": case.complaint_number,
        "visit": now.visit,
        "attempt": now.attempt,
        "reason": now.reason,
        "seen": taken.reading.sight.seen,
        "standing": taken.reading.sight.standing,
        "contact": _contact(taken),
        "texts": [{"mark": one.mark, "number": one.number} for one in taken.reading.texts],
        "confidential": case.confidential,
        "subject": case.subject,
        "title": case.title,
        "content": whole_content(case),
        "unit": None if case.order is None else case.order.unit,
        "answer": taken.answer,
    }


def _print(taken: VisitTaken) -> None:
    from hotline.casefile.visits import VISIT_HELD

    told = _taken(taken)
    number = told["complaint_number"]
    held = int(VISIT_HELD.total_seconds() // 60)
    say(
        f"Complaint {number}: visit {told['visit']}, attempt {told['attempt']}. You have it for {held} minutes."
    )
    if told["confidential"]:
        say("  It is confidential: name it to nobody but the citizen.")
    for field, value in told["contact"].items():
        say(f"  {field:9} {value or '–'}")
    if not told["contact"]:
        say("  No contact is kept of it.")
    say(f"  {told['subject']}: {told['title']}")
    say_lines(told["content"], "  | ")
    for one in told["texts"]:
        say(f"  {one['mark']} {one['number']}")
    if told["answer"]:
        say(f"  {told['unit']} says:")
        say_lines(told["answer"], "  | ")
    else:
        say(f"  {told['unit']} has not answered; the limit has passed.")
    say("Ask: is it solved? Are you satisfied?")
    say(f"Next: `hotline visit answer {number} --solved --satisfied`, or `hotline visit unreached {number}`.")
