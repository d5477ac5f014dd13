"""Commands that show: candidates, all programmes, one of them."""

from __future__ import annotations

import json as json_module
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from hotline.cli.arguments import day as _day
from hotline.cli.programme.options import ProgrammeNamed
from hotline.cli.programme.recording import city_now
from hotline.cli.run import Json, fail, run
from hotline.cli.unread import none_unread, tell_unread
from hotline.parsing import NUMBER_MAX
from hotline.terminal import note, say, say_json, say_record

if TYPE_CHECKING:
    from hotline.governance.candidates import Candidate
    from hotline.governance.facts import ProgrammeId, Recorded
    from hotline.governance.state import Programme
    from hotline.readside.standing import AsOf
    from hotline.scoring.inhabitants import InhabitantFigures
    from shared.unreadable import UnreadableRows
from hotline.governance.figures import figures, line, row

YEAR: Final = timedelta(days=365)
"""The period that is looked at where nothing else is asked for."""


def candidates_(
    since: Annotated[
        str, typer.Option(help="The first day, such as 2021-01-01; a year ago without it.")
    ] = "",
    until: Annotated[str, typer.Option(help="The last day; today without it.")] = "",
    at_least: Annotated[
        int, typer.Option(min=1, max=NUMBER_MAX, help="Leave out subjects with fewer complaints.")
    ] = 1,
    limit: Annotated[int, typer.Option(min=1, max=NUMBER_MAX, help="So many subjects.")] = 20,
    inhabitants: Annotated[
        Path | None, typer.Option("--inhabitants", help="A file of inhabitants; without one the example's.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Count complaints by subject and district, the most first, with their growth and for each 10,000 residents."""
    first = _day(since, "--since") if since else None
    last = _day(until, "--until") if until else None
    unread = none_unread()
    from deploy.city.registry import city_up
    from hotline.scoring.inhabitants import population

    residents = population(city_up().inhabitants if inhabitants is None else str(inhabitants))
    every, as_of = run(found_candidates(first, last, at_least, residents, unread))
    found = every[:limit]
    if json:
        say_record(found)
        note(as_of.line())
        tell_unread(unread, json=True)
        return
    if not found:
        say("No complaint with a subject was received in that time.")
    for one in found:
        where = ", ".join(f"{name or 'nowhere named'} {number:,}" for name, number in one.districts.items())
        taken = f"  taken on by {', '.join(one.named_by)}" if one.named_by else ""
        rate = "" if one.per_10k is None else f", {one.per_10k} per 10,000"
        say(f"{one.complaints:>8,}  {one.subject}  {_grown(one)}{rate}  ({where}){taken}")
    if residents.example:
        say(f"Residents by {residents.version}, an example: never to be published.")
    say(as_of.line())
    tell_unread(unread)


def _grown(one: Candidate) -> str:
    """Against the period before."""
    if one.growth is None:
        return "none before"
    return f"{'+' if one.growth >= 0 else ''}{one.growth} % on {one.before:,} before"


def list_(
    year: Annotated[int, typer.Option(min=0, max=NUMBER_MAX, help="Only of this year.")] = 0,
    *,
    json: Json = False,
) -> None:
    """List programmes with their progress: done of all, in percent; "-" where there is nothing to divide by."""
    unread = none_unread()
    found, today = run(every_programme(unread))
    rows = [one for one in found if year in {0, one.year}]
    if json:
        say_json(json_module.dumps([row(one, today) for one in rows], ensure_ascii=False, indent=2))
        tell_unread(unread, json=True)
        return
    if not rows:
        say("No programme is on record.")
    for one in rows:
        say(line(one, today))
    if rows:
        say(f"{'':8}  all: {figures(rows, today)}")
    tell_unread(unread)


def show_(programme: ProgrammeNamed, *, json: Json = False) -> None:
    """Show one with its problems or projects, its tasks, and everything that was recorded, refusals too."""
    from hotline.governance.words import sentence
    from shared.times import shown

    unread = none_unread()
    state, facts, now = run(one_whole(programme, unread))
    today = now.date()
    if json:
        whole = {**row(state, today), "state": state, "facts": facts}
        say_record(whole)
        tell_unread(unread, json=True)
        return
    say(line(state, today))
    for number, one in state.items.items():
        others = f", with {', '.join(one.cooperating)}" if one.cooperating else ""
        say(f"  {number}. {one.title}: {one.lead} leads{others}")
        for each in state.tasks.values():
            if each.item == number:
                late = "  OVERDUE" if each.overdue(today) else ""
                late = f"  REVIEW MISSED, was {each.review_on}" if each.review_missed(today) else late
                say(f"     {each.number}. {each.title}: {each.owner}, due {each.due}, {each.standing}{late}")
    for fact in facts:
        say(f"  {shown(fact.at, now.tzinfo)}  {sentence(fact)}")
    tell_unread(unread)


async def every_programme(unread: UnreadableRows) -> tuple[list[Programme], date]:
    """All programmes as they stand, and the city's day."""
    from deploy.city.registry import city_up
    from hotline.governance.log import programmes

    city = city_up()
    async with programmes(city.endpoints.logins["reader"]) as log:
        return await log.all(unread), (await city_now(city)).date()


async def one_whole(called: str, unread: UnreadableRows) -> tuple[Programme, list[Recorded], datetime]:
    """One programme as it stands, what was recorded of it, and the city's present."""
    from deploy.city.registry import city_up
    from hotline.governance.log import programmes
    from hotline.governance.state import folded
    from shared.runtime.errors import UserError

    city = city_up()
    async with programmes(city.endpoints.logins["reader"]) as log:
        programme_id: ProgrammeId = await log.called(called)
        facts = await log.readable_facts(programme_id, unread)
        state = unread.read(f"programme {programme_id}", lambda: folded(facts))
        if state is None:
            raise UserError(unread.line() or f"No programme {programme_id} is on record.")
        return state, facts, await city_now(city)


def period_of(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """The days that are meant, where nothing is said the last year up to today; ends where they are none."""
    last = last or today
    first = first or (last - YEAR if last - date.min > YEAR else date.min)
    if first > last:
        fail(f"--since: {first}, expected a day not after {last}.", code=2)
    return first, last


async def found_candidates(
    first: date | None,
    last: date | None,
    at_least: int,
    residents: InhabitantFigures,
    unread: UnreadableRows,
) -> tuple[list[Candidate], AsOf]:
    """Complaints of these days that may become programmes, the largest group first; and how far they are counted."""
    from deploy.city.registry import city_up
    from hotline.governance.candidates import candidates, counted, period_before
    from hotline.governance.log import programmes
    from hotline.readside.standing import caught_up, unread_complaints
    from shared.log.postgres import SETTINGS
    from shared.log.reading import reader
    from shared.unreadable import NAMED_MAX

    city = city_up()
    first, last = period_of(first, last, (await city_now(city)).date())
    connection = await reader(city.endpoints.logins["reader"], SETTINGS)
    try:
        as_of = await caught_up(connection)
        counts = await counted(connection, first, last + timedelta(days=1))
        before = await counted(connection, *period_before(first, last))
        for complaint, why in await unread_complaints(connection, NAMED_MAX):
            unread.note(f"the head of complaint {complaint}", why)
    finally:
        await connection.close()
    async with programmes(city.endpoints.logins["reader"]) as log:
        every = await log.all(unread)
    people = residents.at(last)
    districts = {} if people is None else {name: of.people for name, of in people.districts.items()}
    return candidates(counts, every, at_least, before=before, residents=districts), as_of
