"""`hotline review`: be the reviewers, or write down what a council decided."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from hotline.cli.listing import LISTED, After, District, Limit, Overdue, Subject, tell_listed
from hotline.cli.outcome import tell_outcome
from hotline.cli.run import Json, answer, fail, listed, one_of, run
from hotline.cli.speaking import STOPPED, speaks
from hotline.cli.unread import none_unread, tell_unread

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from deploy.city.registry import City
    from hotline.casefile.orders import ListPage
    from hotline.readside.lists import Filter
    from shared.complaint import Complaint
    from shared.events import Fact
    from shared.inputs import Input
    from shared.unreadable import UnreadableRows

review = typer.Typer(
    help=(
        "Decide what units cannot settle alone: returns, extensions, pauses, terminations, disputes, co-units, "
        "urgency, exclusions from a score."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Complaint = Annotated[
    str, typer.Argument(metavar="COMPLAINT", help="Its number, its id or the beginning of it.")
]
_Reason = Annotated[str, typer.Option(help="Why.")]
_Reviewer = Annotated[str, typer.Option("--as", help="The reviewer.")]
REVIEWER: Final = "reviewer"
ASKED: Final = ("return", "dispute", "extension", "pause", "termination", "exclusion")


@review.command("list")
def list_(
    *,
    asked: Annotated[
        str,
        typer.Option(help="Only return, dispute, extension, pause, termination or exclusion."),
    ] = "",
    unit: Annotated[str, typer.Option(help="Only what this unit asks.")] = "",
    subject: Subject = "",
    district: District = "",
    overdue: Overdue = False,
    limit: Limit = LISTED,
    after: After = "",
    json: Json = False,
) -> None:
    """List the requests that wait for a decision, the earliest due first."""
    from hotline.casefile.orders import line, row
    from hotline.readside.lists import Filter

    if asked:
        one_of("--asked", asked, ASKED)
    only = Filter(role=asked, unit=unit, subject=subject, district=district)
    looked = run(_waiting(only, overdue=overdue, after=after, most=limit))
    now = looked.now
    tell_listed(
        looked,
        lambda one: {**row(one, now), "unit": one.about, "asked_for": one.role},
        lambda one: f"{one.role:11} {one.about}  {line(one, now)}",
        nothing="Nothing waits for a decision.",
        json=json,
    )


@review.command()
@speaks
def approve(
    complaint: _Complaint,
    to: Annotated[str, typer.Option(metavar="UNIT", help="Of a return: where it goes instead.")] = "",
    reason: _Reason = "",
    reviewer: _Reviewer = REVIEWER,
    *,
    json: Json = False,
) -> None:
    """Approve what the unit asked for: a return, more time, a pause, a termination or an exclusion from its score."""
    run(_decided(complaint, reviewer, reason, to, approved=True, json=json), interrupted=STOPPED)


@review.command()
@speaks
def reject(
    complaint: _Complaint, reason: _Reason, reviewer: _Reviewer = REVIEWER, *, json: Json = False
) -> None:
    """Reject what the unit asked for; it keeps the order and its limit."""
    run(_decided(complaint, reviewer, reason, "", approved=False, json=json), interrupted=STOPPED)


@review.command()
@speaks
def council(
    complaint: _Complaint,
    to: Annotated[
        str, typer.Option(metavar="UNIT", help="The unit it belongs to; may be the one that has it.")
    ],
    participants: Annotated[str, typer.Option(help="The participants, with commas between.")],
    reason: _Reason,
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


@review.command()
@speaks
def helper(
    complaint: _Complaint,
    unit: Annotated[str, typer.Option(help="The unit that must help.")],
    reason: _Reason,
    reviewer: _Reviewer = REVIEWER,
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


@review.command(name="send-back")
@speaks
def send_back(
    complaint: _Complaint, reason: _Reason, reviewer: _Reviewer = REVIEWER, *, json: Json = False
) -> None:
    """Send a unit's answer back before the citizen is asked; its limit runs on."""

    def said(case: Complaint, _: City) -> Input:
        from shared import inputs

        return inputs.SendBackAnswer(
            complaint_id=case.complaint_id, assignment=_assignment(case), reviewer=reviewer, reason=reason
        )

    run(_say(complaint, said, json=json), interrupted=STOPPED)


@review.command()
@speaks
def reclassify(
    complaint: _Complaint,
    urgency: Annotated[str, typer.Option(help="CRITICAL_2H, TIMELY_24H, GENERAL_7D or COMPLEX_15D.")],
    reason: _Reason,
    reviewer: _Reviewer = REVIEWER,
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


@review.command()
@speaks
def calendar(
    version: Annotated[str, typer.Argument(help="The calendar open complaints are to go by.")],
    reason: _Reason,
    complaint: Annotated[
        str, typer.Option(help="Only this one, by its number, its id or the beginning of it.")
    ] = "",
    reviewer: _Reviewer = REVIEWER,
    *,
    json: Json = False,
) -> None:
    """Have open complaints go by another calendar; each is told its old and its new limit."""
    from shared.policy.calendar import CalendarUnknown
    from shared.policy.calendar import calendar as known

    try:
        known(version)
    except CalendarUnknown as unknown:
        fail(f"VERSION: {unknown}.", code=2)
    unread = none_unread()
    told, moved = run(_amended(version, reason, complaint, reviewer, unread), interrupted=STOPPED)
    sentence = f"{told:,} open complaints go by calendar {version} now; the limit of {moved:,} has moved."
    answer(sentence, json=json, calendar=version, amended=told, moved=moved)
    tell_unread(unread, json=json)


async def _amended(
    version: str, reason: str, complaint: str, reviewer: str, unread: UnreadableRows
) -> tuple[int, int]:
    from deploy.city.registry import city_up
    from hotline.client import Unknown, effect, tell
    from hotline.lookup import complaint_called
    from hotline.readside.lists import by_other_calendar
    from hotline.readside.standing import caught_up, unread_complaints
    from shared import inputs
    from shared.events import CalendarAmended
    from shared.ids import ComplaintId
    from shared.log.postgres import SETTINGS
    from shared.log.reading import reader
    from shared.runtime.errors import UserError
    from shared.topics import DISPATCH_REVIEWS
    from shared.unreadable import NAMED_MAX

    city = city_up()
    connection = await reader(city.realm.logins["reader"], SETTINGS)
    try:
        if complaint:
            ids = [(await complaint_called(connection, complaint)).complaint_id]
        else:
            await caught_up(connection)
            ids = [ComplaintId(one) for one in await by_other_calendar(connection, version)]
            for one, why in await unread_complaints(connection, NAMED_MAX):
                unread.note(f"the head of complaint {one}", why)
    finally:
        await connection.close()
    told = moved = 0
    for name in ids:
        data = inputs.AmendCalendar(complaint_id=name, calendar=version, reason=reason, amended_by=reviewer)
        try:
            facts = await effect(city, name, await tell(city, DISPATCH_REVIEWS, name, data))
        except UserError as error:  # the others are amended all the same
            amended = "not known whether it is amended" if isinstance(error, Unknown) else "not amended"
            unread.note(f"complaint {name}", f"{amended} ({error})")
            continue
        for fact in facts:
            if isinstance(fact, CalendarAmended):
                told += 1
                moved += fact.new_due_at != fact.old_due_at
    return told, moved


async def _waiting(only: Filter, *, overdue: bool, after: str, most: int) -> ListPage:
    from deploy.city.registry import city_up
    from hotline.casefile.orders import look
    from hotline.lookup import unit_named
    from hotline.readside.rows import REVIEWS

    city = city_up()
    if only.unit:
        only = only._replace(unit=unit_named(only.unit, city.catalogue))
    return await look(city, REVIEWS, only=only, overdue=overdue, after=after, most=most)


async def _decided(
    complaint: str, reviewer: str, reason: str, to: str, *, approved: bool, json: bool
) -> None:
    def said(case: Complaint, city: City) -> Input:
        from hotline.lookup import unit_named
        from shared import inputs
        from shared.complaint import asked_for

        to_unit = unit_named(to, city.catalogue) if to else None
        what = asked_for(case)
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
    from deploy.city.registry import city_up
    from hotline.client import effect, tell
    from hotline.lookup import complaint_named
    from shared import times
    from shared.topics import DISPATCH_REVIEWS

    city = city_up()
    case = await complaint_named(city, complaint)
    told = await tell(city, DISPATCH_REVIEWS, case.complaint_id, said(case, city))
    facts = await effect(city, case.complaint_id, told)
    when = partial(times.shown, zone=times.zone_of(case.ruleset))
    tell_outcome(facts, partial(_told_of, when=when), json=json)


def _told_of(facts: list[Fact], when: Callable[[datetime], str]) -> str:  # noqa: C901, PLR0911, PLR0912 -- a line a fact
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
