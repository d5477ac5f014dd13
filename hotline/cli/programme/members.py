"""The complaints behind a programme, and one answer for all who are in the same position (有一办一、举一反三)."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from hotline.cli.arguments import day as _day
from hotline.cli.arguments import percent
from hotline.cli.listing import LISTED, After, Limit, tell_listed
from hotline.cli.programme.looking import period_of
from hotline.cli.programme.options import By, ItemNumber, ProgrammeNamed
from hotline.cli.programme.recording import Speaker, checked, city_now, tell_recorded
from hotline.cli.run import Json, demand_words, fail, listed, run
from hotline.cli.speaking import ComplaintNamed, speaks
from hotline.parsing import NUMBER_MAX
from hotline.terminal import say, say_record

if TYPE_CHECKING:
    from hotline.casefile.orders import ListPage
    from hotline.governance.facts import Recorded
    from hotline.governance.likeness import LikenessSought
    from hotline.governance.members import Alike, MemberStanding
    from hotline.governance.state import Offer, Programme
    from hotline.readside.standing import AsOf

ALIKE_DAYS: Final = 30
"""How far apart complaints of one position are looked for, where nothing else is asked for."""


def complaints(
    programme: ProgrammeNamed,
    cluster: Annotated[int, typer.Option(min=1, max=NUMBER_MAX, help="Its first cluster is 1.")] = 1,
    since: Annotated[str, typer.Option(help="The first day; a year ago without it.")] = "",
    until: Annotated[str, typer.Option(help="The last day; today without it.")] = "",
    limit: Limit = LISTED,
    after: After = "",
    *,
    json: Json = False,
) -> None:
    """List the complaints behind a cluster of a programme, the newest first."""
    from hotline.casefile.orders import line, row

    first = _day(since, "--since") if since else None
    last = _day(until, "--until") if until else None
    looked = run(_behind(programme, cluster, (first, last), after, limit))
    tell_listed(
        looked,
        lambda one: {**row(one, looked.now), "unit": one.lead, "stage": one.stage},
        lambda one: f"{one.stage:14} {line(one, looked.now)}",
        nothing="No complaint of it was received in that time.",
        json=json,
    )


def alike(
    complaint: ComplaintNamed,
    days: Annotated[
        int, typer.Option(min=1, max=3660, help="At most so many days before or after it.")
    ] = ALIKE_DAYS,
    words: Annotated[
        str, typer.Option(metavar="PERCENT", help="At least this share of the words, 0 to 100.")
    ] = "0",
    limit: Limit = 50,
    *,
    anywhere: Annotated[bool, typer.Option("--anywhere", help="In other districts too.")] = False,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that have not ended.")] = False,
    json: Json = False,
) -> None:
    """List who else is in this position, the most alike first: by subject, place, words and time."""
    from hotline.governance.likeness import LikenessSought

    sought = LikenessSought(days, anywhere, Fraction(percent(words, "--words")) / 100)
    found, as_of = run(_alike(complaint, sought, open_only=open_only))
    if json:
        say_record([_alike_row(one) for one in found[:limit]])
        return
    for one in found[:limit]:
        what, where = one.likeness, one.listed
        same = ", ".join(
            name
            for name, is_same in (
                ("subject", what.same_subject),
                ("street", what.same_street),
                ("district", what.same_district and not what.same_street),
            )
            if is_same
        )
        say(
            f"{where.complaint_number}  {where.stage:14} {where.lead or '-'}  same {same or 'words'}, "
            f"words {round(what.words * 100)} %, {what.days} days apart  {where.title}"
        )
    if not found:
        say("Nobody else is in this position.")
    say(as_of.line())


@speaks
def offer(
    programme: ProgrammeNamed,
    item: ItemNumber,
    complaint: ComplaintNamed,
    to: Annotated[
        str, typer.Option(metavar="COMPLAINTS", help="The complaints in its position, with commas.")
    ],
    by: By,
    answer: Annotated[
        str, typer.Option(help="The answer; without it the last one that the first complaint got.")
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Offer the answer to one complaint for others: their units hear of it, and each citizen is asked by a visit."""
    demand_words("--as", by)
    members = listed(to)
    if not members:
        fail("--to: expected at least one complaint.", code=2)
    facts, after, today = run(_offered(programme, item, complaint, members, by, answer))
    tell_recorded(facts, after, today, json=json)


def members_(programme: ProgrammeNamed, *, json: Json = False) -> None:
    """List the complaints that answers of a programme were offered for, and what came of each."""
    found = run(_members(programme))
    if json:
        say_record([{**_offer_row(one), "members": [_member_row(m) for m in some]} for one, some in found])
        return
    if not found:
        say("No answer was offered in it.")
    for one, some in found:
        say(f"{one.number}. ({one.item}.) as for {one.first[:8]}: {one.answer}")
        for member in some:
            say(
                f"    {member.listed.complaint_number}  {member.unit}  {_came(member)}  {member.listed.title}"
            )
        answered = sum(member.answered_so for member in some)
        asked = [member.solved for member in some if member.solved is not None]
        say(
            f"    answered so {answered:,} of {len(some):,}, asked by a visit {len(asked):,}, "
            f"solved {sum(asked):,}"
        )


def _came(member: MemberStanding) -> str:
    if not member.answered_so:
        return member.listed.stage
    if member.solved is None:
        return "answered so, not asked yet"
    return "answered so, solved" if member.solved else "answered so, NOT solved"


def _alike_row(one: Alike) -> dict[str, Any]:
    what, where = one.likeness, one.listed
    return {
        "complaint_id": where.complaint_id,
        "complaint_number": where.complaint_number,
        "stage": where.stage,
        "unit": where.lead,
        "subject": where.subject,
        "district": where.district,
        "street": where.street or None,
        "title": where.title,
        "same_subject": what.same_subject,
        "same_district": what.same_district,
        "same_street": what.same_street,
        "words_percent": round(float(what.words * 100), 2),
        "days": what.days,
    }


def _offer_row(one: Offer) -> dict[str, Any]:
    return {"offer": one.number, "item": one.item, "first": one.first, "answer": one.answer}


def _member_row(one: MemberStanding) -> dict[str, Any]:
    return {
        "complaint_id": one.listed.complaint_id,
        "complaint_number": one.listed.complaint_number,
        "unit": one.unit,
        "stage": one.listed.stage,
        "answered_so": one.answered_so,
        "solved": one.solved,
        "satisfied": one.satisfied,
    }


async def _behind(
    called: str, cluster: int, days: tuple[date | None, date | None], after: str, most: int
) -> ListPage:
    from deploy.city.registry import city_up
    from hotline.casefile.orders import page_behind
    from hotline.governance.log import programmes
    from shared.runtime.errors import UserError

    city = city_up()
    first, last = period_of(*days, (await city_now(city)).date())
    async with programmes(city.endpoints.logins["reader"]) as log:
        one = await log.one(await log.called(called))
    if cluster > len(one.clusters):
        grown = f"expected one of 1 to {len(one.clusters)}" if one.clusters else "it names none"
        raise UserError(f"--cluster: {one.title} has no cluster {cluster}: {grown}.")
    of = one.clusters[cluster - 1]
    period = first, last + timedelta(days=1)
    return await page_behind(city, of.subject, of.district, period, after=after, most=most)


async def _alike(called: str, sought: LikenessSought, *, open_only: bool) -> tuple[list[Alike], AsOf]:
    from deploy.city.registry import city_up
    from hotline.governance.members import alike_to
    from hotline.lookup import complaint_called
    from hotline.readside.standing import caught_up
    from shared.log.postgres import SETTINGS
    from shared.log.reading import reader

    connection = await reader(city_up().endpoints.logins["reader"], SETTINGS)
    try:
        as_of = await caught_up(connection)
        first = await complaint_called(connection, called)
        return await alike_to(connection, first, sought, open_only=open_only), as_of
    finally:
        await connection.close()


async def _offered(
    called: str, item: int, complaint: str, members: tuple[str, ...], by: str, answer: str
) -> tuple[list[Recorded], Programme, date]:
    from deploy.city.registry import city_up
    from hotline.governance import facts as f
    from hotline.governance.log import programmes
    from hotline.governance.members import answer_of, member_called
    from hotline.lookup import complaint_called
    from shared.log.postgres import SETTINGS
    from shared.log.reading import reader

    if len(members) > f.MEMBERS_MAX:
        fail(f"--to: {len(members):,} complaints, expected at most {f.MEMBERS_MAX}.", code=2)
    city = city_up()
    said = Speaker(city, by, await city_now(city))
    connection = await reader(city.endpoints.logins["reader"], SETTINGS)
    try:
        first = await complaint_called(connection, complaint)
        text = answer or await answer_of(connection, first)
        found = tuple([await member_called(connection, one) for one in members])
    finally:
        await connection.close()
    async with programmes(city.endpoints.login("governor")) as log:
        wish = f.AnswerOffered(
            programme_id=await log.called(called),
            by=said.by,
            item=item,
            first=first.complaint_id,
            answer=text,
            members=found,
            offered_at=said.now,
        )
        facts, after = await log.record(checked([wish]))
    return facts, after, said.now.date()


async def _members(called: str) -> list[tuple[Offer, list[MemberStanding]]]:
    from deploy.city.registry import city_up
    from hotline.governance.log import programmes
    from hotline.governance.members import standings
    from hotline.readside.standing import caught_up
    from shared.log.postgres import SETTINGS
    from shared.log.reading import reader

    city = city_up()
    async with programmes(city.endpoints.logins["reader"]) as log:
        one = await log.one(await log.called(called))
    connection = await reader(city.endpoints.logins["reader"], SETTINGS)
    try:
        await caught_up(connection)
        return [(offered, await standings(connection, offered)) for offered in one.offers]
    finally:
        await connection.close()
