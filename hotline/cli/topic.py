"""`hotline topic`: monthly topics and project lists, from the complaints they grow out of to their assessment."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.arguments import day as _day
from hotline.cli.arguments import month as month_of
from hotline.cli.arguments import percent
from hotline.cli.asking import AsIs, settled
from hotline.cli.run import Json, demand_words, fail, listed, one_of, run
from hotline.cli.speaking import speaks
from hotline.cli.unread import none_unread, tell_unread
from hotline.parsing import NUMBER_MAX
from hotline.terminal import say, say_json, say_record
from shared.text import folded

if TYPE_CHECKING:
    from deploy.city.registry import City
    from hotline.governance.candidates import Candidate
    from hotline.governance.facts import Cluster, ProgrammeId, Recorded, Wanted
    from hotline.governance.state import Programme
    from shared.ids import UnitId
    from shared.unreadable import UnreadableRows

topic = typer.Typer(
    help="Monthly topics and project lists: what the city takes on before the next citizen calls.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Topic = Annotated[str, typer.Argument(metavar="TOPIC", help="A topic's or list's id or its beginning.")]
_Item = Annotated[
    int,
    typer.Argument(metavar="ITEM", min=1, max=NUMBER_MAX, help="The number of its problem or project."),
]
_Task = Annotated[int, typer.Argument(metavar="TASK", min=1, max=NUMBER_MAX, help="The task's number.")]
_Title = Annotated[str, typer.Argument(metavar="TITLE", help="What it is called.")]
_By = Annotated[str, typer.Option("--as", metavar="WHO", help="Who does it: a unit or a person's name.")]
_Lead = Annotated[str, typer.Option(metavar="UNIT", help="The one unit that leads.")]
_With = Annotated[str, typer.Option("--with", metavar="UNITS", help="Who works with it, with commas.")]
_Out = Annotated[
    list[str] | None,
    typer.Option(
        "--out-of", metavar="SUBJECT[@DISTRICT]", help="Complaints it grows out of; may be repeated."
    ),
]


@topic.command("candidates")
def candidates_(
    since: Annotated[
        str, typer.Option(help="The first day, such as 2021-01-01; a year ago without it.")
    ] = "",
    until: Annotated[str, typer.Option(help="The last day; today without it.")] = "",
    at_least: Annotated[
        int, typer.Option(min=1, max=NUMBER_MAX, help="Leave out subjects with fewer complaints.")
    ] = 1,
    limit: Annotated[int, typer.Option(min=1, max=NUMBER_MAX, help="So many subjects.")] = 20,
    *,
    json: Json = False,
) -> None:
    """Count complaints by subject and district over a period, the most first: out of these topics are chosen."""
    first = _day(since, "--since") if since else None
    last = _day(until, "--until") if until else None
    unread = none_unread()
    found = run(_candidates(first, last, at_least, unread))[:limit]
    if json:
        say_record(found)
        tell_unread(unread, json=True)
        return
    if not found:
        say("No complaint with a subject was received in that time.")
    for one in found:
        where = ", ".join(f"{name or 'nowhere named'} {number:,}" for name, number in one.districts.items())
        taken = f"  taken on by {', '.join(one.named_by)}" if one.named_by else ""
        say(f"{one.complaints:>8,}  {one.subject}  ({where}){taken}")
    tell_unread(unread)


@topic.command()
@speaks
def propose(
    month: Annotated[str, typer.Argument(metavar="MONTH", help="Such as 2021-01.")],
    title: _Title,
    lead: _Lead,
    by: _By,
    out_of: _Out = None,
    *,
    as_is: AsIs = False,
    json: Json = False,
) -> None:
    """Propose a theme for a month."""
    first = month_of(month, "MONTH")
    year, number = first.year, first.month

    def wanted(_: Programme | None, city: _Said) -> list[Wanted]:
        from hotline.governance import facts as f

        return [
            f.TopicProposed(
                programme_id=f.topic_id(year, number, title),
                by=city.by,
                year=year,
                month=number,
                title=title,
                lead=city.unit(lead),
                clusters=city.clusters(out_of, as_is=as_is),
                proposed_at=city.now,
            )
        ]

    run(_record("", by, wanted, json=json))


@topic.command("draw-up")
@speaks
def draw_up(
    year: Annotated[int, typer.Argument(metavar="YEAR", min=2000, max=2999)],
    level: Annotated[str, typer.Argument(metavar="LEVEL", help="MUNICIPAL, DISTRICT or STREET.")],
    owner: Annotated[str, typer.Argument(metavar="UNIT", help="Whose list it is.")],
    title: _Title,
    by: _By,
    out_of: _Out = None,
    *,
    as_is: AsIs = False,
    json: Json = False,
) -> None:
    """Draw up a project list for a year."""
    from hotline.governance import facts as f

    one_of("LEVEL", level, list(f.ListLevel))

    def wanted(_: Programme | None, city: _Said) -> list[Wanted]:
        unit = city.unit(owner)
        return [
            f.ListDrawnUp(
                programme_id=f.list_id(year, f.ListLevel(level), unit, title),
                by=city.by,
                year=year,
                title=title,
                level=f.ListLevel(level),
                owner=unit,
                clusters=city.clusters(out_of, as_is=as_is),
                drawn_up_at=city.now,
            )
        ]

    run(_record("", by, wanted, json=json))


@topic.command()
@speaks
def adopt(topic: _Topic, by: _By, *, json: Json = False) -> None:
    """Decide that it is taken on."""
    _one(topic, by, "ProgrammeAdopted", lambda *_: {}, json=json)


@topic.command()
@speaks
def item(
    topic: _Topic, title: _Title, lead: _Lead, by: _By, others: _With = "", *, json: Json = False
) -> None:
    """Name a problem of a topic or a project of a list, with its one lead."""
    _one(
        topic,
        by,
        "ItemNamed",
        lambda state, city: {
            "item": len(state.items) + 1,
            "title": title,
            "lead": city.unit(lead),
            "cooperating": city.units(others),
        },
        json=json,
    )


@topic.command()
@speaks
def lead(
    topic: _Topic,
    item: _Item,
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="Who leads from now on.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    by: _By,
    others: _With = "",
    *,
    json: Json = False,
) -> None:
    """Give a problem or project another lead, or others who work with it."""
    _one(
        topic,
        by,
        "LeadChanged",
        lambda _, city: {
            "item": item,
            "lead": city.unit(unit),
            "cooperating": city.units(others),
            "reason": reason,
        },
        json=json,
    )


@topic.command()
@speaks
def task(
    topic: _Topic,
    item: _Item,
    title: _Title,
    owner: Annotated[str, typer.Option(metavar="UNIT", help="Who does it.")],
    due: Annotated[str, typer.Option(metavar="DAY", help="The last day in time.")],
    by: _By,
    *,
    json: Json = False,
) -> None:
    """Set a task of a problem or project."""
    day = _day(due, "--due")
    _one(
        topic,
        by,
        "TaskSet",
        lambda state, city: {
            "item": item,
            "task": len(state.tasks) + 1,
            "title": title,
            "owner": city.unit(owner),
            "due": day,
        },
        json=json,
    )


@topic.command()
@speaks
def progress(
    topic: _Topic, task: _Task, text: Annotated[str, typer.Argument()], by: _By, *, json: Json = False
) -> None:
    """Say how far a task is."""
    _one(topic, by, "TaskProgressed", lambda *_: {"task": task, "text": text}, json=json)


@topic.command()
@speaks
def complete(
    topic: _Topic,
    task: _Task,
    evidence: Annotated[str, typer.Option(help="What shows it.")],
    by: _By,
    *,
    json: Json = False,
) -> None:
    """Say that a task is done, with what shows it."""
    _one(topic, by, "TaskCompleted", lambda *_: {"task": task, "evidence": evidence}, json=json)


@topic.command()
@speaks
def verify(
    topic: _Topic,
    task: _Task,
    by: _By,
    reject: Annotated[str, typer.Option(metavar="REASON", help="It is not done, and why.")] = "",
    *,
    json: Json = False,
) -> None:
    """Look, as somebody else than the owner, whether a task is done."""
    if reject:
        _one(topic, by, "CompletionRejected", lambda *_: {"task": task, "reason": reject}, json=json)
    else:
        _one(topic, by, "TaskVerified", lambda *_: {"task": task}, json=json)


@topic.command("long-term")
@speaks
def long_term(
    topic: _Topic,
    task: _Task,
    review: Annotated[str, typer.Option(metavar="DAY", help="When it is looked at next.")],
    by: _By,
    plan: Annotated[
        str, typer.Option(help="Approve this plan: the task is kept up, and is never overdue.")
    ] = "",
    found: Annotated[
        str, typer.Option(help="Of a long-term task: what was found when it was looked at.")
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Approve a plan for a task that has to be kept up, or write down its review."""
    day = _day(review, "--review")
    if bool(plan) == bool(found):
        fail("Expected --plan, to approve one, or --found, of a review.", code=2)
    if plan:
        said = {"task": task, "plan": plan, "review_on": day}
        _one(topic, by, "LongTermApproved", lambda *_: said, json=json)
    else:
        said = {"task": task, "found": found, "review_on": day}
        _one(topic, by, "LongTermReviewed", lambda *_: said, json=json)


@topic.command()
@speaks
def policy(
    topic: _Topic,
    document: Annotated[str, typer.Argument(help="Its name and number.")],
    by: _By,
    *,
    json: Json = False,
) -> None:
    """Write down a document that came of it."""
    _one(topic, by, "PolicyIssued", lambda *_: {"document": document}, json=json)


@topic.command()
@speaks
def assess(
    topic: _Topic,
    survey: Annotated[str, typer.Option(metavar="PERCENT", help="How many percent are satisfied, 0 to 100.")],
    visits: Annotated[int, typer.Option(min=1, max=NUMBER_MAX, help="How many citizens were visited.")],
    by: _By,
    *,
    json: Json = False,
) -> None:
    """Write down what citizens said of the whole; not by who leads, helps or owns a task."""
    rate = percent(survey, "--survey")
    _one(topic, by, "AssessmentMade", lambda *_: {"survey_rate": rate, "visits": visits}, json=json)


@topic.command()
@speaks
def close(
    topic: _Topic,
    by: _By,
    exception: Annotated[
        str, typer.Option(metavar="REASON", help="Approve that it closes without an assessment, and why.")
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Close it: with its assessment, or by an exception approved by somebody not concerned."""

    def wanted(state: Programme | None, city: _Said) -> list[Wanted]:
        from hotline.governance import facts as f

        assert state is not None  # noqa: S101 -- it was called by its id
        basis = f.Basis.EXCEPTION if exception else f.Basis.ASSESSMENT
        common: dict[str, Any] = {"programme_id": state.programme_id, "by": city.by}
        end = f.ProgrammeClosed(**common, basis=basis, closed_at=city.now)
        if not exception:
            return [end]
        return [f.ClosingExceptionApproved(**common, reason=exception, approved_at=city.now), end]

    run(_record(topic, by, wanted, json=json))


@topic.command("list")
def list_(
    year: Annotated[int, typer.Option(min=0, max=NUMBER_MAX, help="Only of this year.")] = 0,
    *,
    json: Json = False,
) -> None:
    """List topics and lists with their progress: done of all, in percent; "-" where there is nothing to divide by."""
    unread = none_unread()
    found, today = run(_all(unread))
    rows = [one for one in found if year in {0, one.year}]
    if json:
        say_json(json_module.dumps([_row(one, today) for one in rows], ensure_ascii=False, indent=2))
        tell_unread(unread, json=True)
        return
    if not rows:
        say("No topic and no list is on record.")
    for one in rows:
        say(_line(one, today))
    if rows:
        say(f"{'':8}  all: {_figures(rows, today)}")
    tell_unread(unread)


@topic.command("show")
def show_(topic: _Topic, *, json: Json = False) -> None:
    """Show one with its problems or projects, its tasks, and everything that was recorded, refusals too."""
    from hotline.governance.words import told
    from shared.times import shown

    unread = none_unread()
    state, facts, now = run(_whole(topic, unread))
    today = now.date()
    if json:
        whole = {**_row(state, today), "state": state, "facts": facts}
        say_record(whole)
        tell_unread(unread, json=True)
        return
    say(_line(state, today))
    for number, one in state.items.items():
        others = f", with {', '.join(one.cooperating)}" if one.cooperating else ""
        say(f"  {number}. {one.title}: {one.lead} leads{others}")
        for each in state.tasks.values():
            if each.item == number:
                late = "  OVERDUE" if each.overdue(today) else ""
                late = f"  REVIEW MISSED, was {each.review_on}" if each.review_missed(today) else late
                say(f"     {each.number}. {each.title}: {each.owner}, due {each.due}, {each.standing}{late}")
    for fact in facts:
        say(f"  {shown(fact.at, now.tzinfo)}  {told(fact)}")
    tell_unread(unread)


# -- recording


class _Said:
    """Who speaks, when in the city, and what units are called."""

    def __init__(self, city: City, by: str, now: datetime) -> None:
        from shared.policy.catalogue import catalogue

        self._known = catalogue(city.catalogue)
        self.now = now
        self.by: str = self.unit(by)

    def unit(self, name: str) -> UnitId:
        """The catalogue's id where it knows this id or name; else as said: a company may lead that gets no orders.

        Names are compared as a reader sees them, so none passes for another's by its width or by what nobody sees.
        """
        from shared.deciding import units_called
        from shared.ids import UnitId

        called = units_called(name, self._known)
        if len(called) > 1:
            fail(f"{len(called)} units are called {folded(name)!r}: {', '.join(sorted(called))}.", code=2)
        return called[0] if called else UnitId(folded(name))

    def units(self, text: str) -> tuple[UnitId, ...]:
        """Several, with commas between."""
        return tuple(self.unit(part) for part in listed(text))

    def clusters(self, told: list[str] | None, *, as_is: bool) -> tuple[Cluster, ...]:
        """Subjects, each with a district or without; asked about where the catalogue does not know them."""
        from hotline.governance.facts import Cluster

        found: list[Cluster] = []
        for one in told or ():
            subject, _, district = folded(one).partition("@")
            said = settled(self._known, subject, district or None, None, as_is=as_is)
            found.append(
                Cluster(subject=folded(said["subject"] or ""), district=folded(said["district"] or ""))
            )
        return tuple(found)


def _one(
    called: str, by: str, kind: str, fields: Callable[[Programme, _Said], dict[str, Any]], *, json: bool
) -> None:
    """Want one fact of this kind, with these fields beside who, when and of what."""

    def wanted(state: Programme | None, city: _Said) -> list[Wanted]:
        from hotline.governance import facts as f

        assert state is not None  # noqa: S101 -- it was called by its id
        made = getattr(f, kind)
        common = {"programme_id": state.programme_id, "by": city.by, made.TIME: city.now}
        return [made(**common, **fields(state, city))]

    run(_record(called, by, wanted, json=json))


async def _record(
    called: str, by: str, wanted: Callable[[Programme | None, _Said], list[Wanted]], *, json: bool
) -> None:
    import msgspec

    from deploy.city.registry import city_up
    from hotline.casefile import refusals
    from hotline.client import without_numbers
    from hotline.governance.facts import WishRefused, decoded, encoded
    from hotline.governance.log import programmes
    from shared.wording import TextInvalid, look_at

    demand_words("--as", by)
    city = city_up()
    said = _Said(city, by, await _now(city))
    async with programmes(city.realm.owner_dsn) as log:
        state = await log.one(await log.called(called)) if called else None
        wishes = wanted(state, said)
        try:
            for wish in wishes:
                decoded(encoded(wish))  # lengths and ranges, which constructors do not look at
            wishes = [look_at(wish) for wish in wishes]
        except (msgspec.ValidationError, TextInvalid) as error:
            fail(f"{error}.", code=2)
        for wish in wishes:
            without_numbers(wish)
        facts, after = await log.record(wishes)
    refused = [fact for fact in facts if isinstance(fact, WishRefused)]
    if json:
        say_record(facts)
    elif not facts:
        say("It was so already; nothing changed.")
    elif not refused:
        say(_line(after, said.now.date()))
    if refused:
        fail(refusals.answer(refused[0]))


async def _now(city: City) -> datetime:
    from zoneinfo import ZoneInfo

    from hotline.client import now_of
    from shared.policy.ruleset import ruleset

    return (await now_of(city)).astimezone(ZoneInfo(ruleset(city.ruleset).timezone))


# -- reading


async def _all(unread: UnreadableRows) -> tuple[list[Programme], date]:
    from deploy.city.registry import city_up
    from hotline.governance.log import programmes

    city = city_up()
    async with programmes(city.realm.logins["reader"]) as log:
        return await log.all(unread), (await _now(city)).date()


async def _whole(called: str, unread: UnreadableRows) -> tuple[Programme, list[Recorded], datetime]:
    from deploy.city.registry import city_up
    from hotline.governance.log import programmes
    from hotline.governance.state import folded
    from shared.runtime.errors import UserError

    city = city_up()
    async with programmes(city.realm.logins["reader"]) as log:
        programme_id: ProgrammeId = await log.called(called)
        facts = await log.readable_facts(programme_id, unread)
        state = unread.read(f"topic or list {programme_id}", lambda: folded(facts))
        if state is None:
            raise UserError(unread.line() or f"No topic or list {programme_id} is on record.")
        return state, facts, await _now(city)


async def _candidates(
    first: date | None, last: date | None, at_least: int, unread: UnreadableRows
) -> list[Candidate]:
    from deploy.city.registry import city_up
    from hotline.governance.candidates import candidates, counted
    from hotline.governance.log import programmes
    from shared.log.reading import reader

    city = city_up()
    now = await _now(city)
    last = last or now.date()
    first = first or last - timedelta(days=365)
    if first > last:
        fail(f"--since: {first}, expected a day not after {last}.", code=2)
    begin, end = (
        datetime.combine(day, datetime.min.time(), now.tzinfo) for day in (first, last + timedelta(days=1))
    )
    connection = await reader(city.realm.logins["reader"])
    try:
        counts = await counted(connection, begin, end, unread)
    finally:
        await connection.close()
    async with programmes(city.realm.logins["reader"]) as log:
        return candidates(counts, await log.all(unread), at_least)


# -- words


def _figures(some: list[Programme], today: date) -> str:
    from hotline.governance.state import progress
    from hotline.ratio import two_decimals

    found = progress(some, today)
    items, tasks = two_decimals(found.item_rate), two_decimals(found.task_rate)
    text = (
        f"items {found.items_done:,}/{found.items:,} ({_percent(items)}), "
        f"tasks {found.tasks_done:,}/{found.tasks:,} ({_percent(tasks)}), "
        f"long-term {found.long_term:,}, overdue {found.overdue:,}"
    )
    return text + (f", reviews missed {found.reviews_missed:,}" if found.reviews_missed else "")


def _percent(rate: Decimal | None) -> str:
    return "-" if rate is None else f"{rate} %"


def _when(one: Programme) -> str:
    return f"{one.year}-{one.month:02}" if one.month is not None else f"{one.year} {one.level}"


def _standing(one: Programme) -> str:
    if one.closed is not None:
        return f"closed ({one.closed})"
    return "adopted" if one.adopted else "proposed"


def _line(one: Programme, today: date) -> str:
    return (
        f"{one.programme_id[:8]}  {_when(one)}  {one.title}  {one.lead}  {_standing(one)}  "
        f"{_figures([one], today)}"
    )


def _row(one: Programme, today: date) -> dict[str, Any]:
    from hotline.governance.state import progress
    from hotline.ratio import two_decimals

    found = progress([one], today)
    rates = {"item_rate": two_decimals(found.item_rate), "task_rate": two_decimals(found.task_rate)}
    return {
        "programme_id": one.programme_id,
        "when": _when(one),
        "title": one.title,
        "lead": one.lead,
        "standing": _standing(one),
        **{name: getattr(found, name) for name in found.__struct_fields__},
        **{name: None if rate is None else float(rate) for name, rate in rates.items()},
    }
