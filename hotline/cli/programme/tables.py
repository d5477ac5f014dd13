"""Programmes and what happens to their tasks, taken in and given out as a table."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from hotline.cli.arguments import day as _day
from hotline.cli.programme.looking import every_programme
from hotline.cli.programme.options import By
from hotline.cli.programme.recording import Speaker, checked, city_now
from hotline.cli.run import Json, demand_words, fail, run
from hotline.cli.speaking import speaks
from hotline.cli.unread import none_unread, tell_unread
from hotline.parsing import NUMBER_MAX
from hotline.terminal import note, say, say_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.city.registry import City
    from hotline.governance.facts import ProgrammeId, Recorded, Wanted, WishRefused
    from hotline.governance.log import Programmes
    from hotline.governance.state import Programme
    from hotline.governance.table import TabledProgramme
    from hotline.governance.totals import OwnedTask
    from shared.runtime.errors import UserError

_TABLE: Final = "a table of programmes as CSV"
_ACTS: Final = "a table of acts as CSV"
_REFUSALS_SHOWN: Final = 20
TASKS_LISTED: Final = 200
"""Tasks of a page where nothing else is asked for."""
Owner = Annotated[str, typer.Option(metavar="UNIT", help="Only of this owner.")]


class TableOutcome(NamedTuple):
    """The outcome of a table."""

    programmes: int
    items: int
    tasks: int
    recorded: int
    """Facts recorded, refusals too; the rest was so already."""
    refused: int


@speaks
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV with a row a task; see the README.")],
    by: By,
    *,
    json: Json = False,
) -> None:
    """Take in programmes and lists with their items and tasks; nothing where any row is wrong, each task once."""
    demand_words("--as", by)
    taken, refused = run(_imported(_text(file, _TABLE), str(file), by))
    _tell(taken, refused, json=json)


@speaks
def update(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV with a row an act; see the README.")],
    by: By,
    *,
    json: Json = False,
) -> None:
    """Record what happened to many tasks; a row that is refused stops no other."""
    demand_words("--as", by)
    taken, refused = run(_updated(_text(file, _ACTS), str(file), by))
    _tell(taken, refused, json=json)


def tasks_(
    owner: Owner = "",
    programme: Annotated[str, typer.Option(metavar="PROGRAMME", help="Only of this programme.")] = "",
    until: Annotated[str, typer.Option(metavar="DAY", help="Only those due by this day.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=NUMBER_MAX, help="So many at most.")] = TASKS_LISTED,
    *,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those that are overdue.")] = False,
    csv_: Annotated[
        bool, typer.Option("--csv", help="As a table for `hotline programme update`, all of them.")
    ] = False,
    json: Json = False,
) -> None:
    """List the tasks of programmes that are not closed, the earliest due first."""
    last = _day(until, "--until") if until else None
    unread = none_unread()
    every, today = run(every_programme(unread))
    unit = run(_unit(owner)) if owner else ""
    from hotline.governance.totals import tasks_of

    wanted = programme.strip().lower()
    rows = [
        one
        for one in tasks_of(every)
        if unit in {"", one.task.owner}
        and one.programme.programme_id.startswith(wanted)
        and (last is None or one.task.due <= last)
        and (not overdue or one.task.overdue(today))
    ]
    if csv_:
        if json:
            fail("--json, --csv: expected one of them.", code=2)
        for line in _as_table(rows).splitlines():
            say(line)
    elif json:
        say_record([{"programme_id": one.programme.programme_id, **_row(one)} for one in rows[:limit]])
    else:
        for one in rows[:limit]:
            late = "  OVERDUE" if one.task.overdue(today) else ""
            late = f"  REVIEW MISSED, was {one.task.review_on}" if one.task.review_missed(today) else late
            task = one.task
            say(
                f"{one.programme.programme_id[:8]}  {task.number:>5}  {task.title}: {task.owner}, "
                f"due {task.due}, {task.standing}{late}"
            )
        say(f"{len(rows):,} tasks." if len(rows) <= limit else f"{limit:,} of {len(rows):,} tasks.")
    tell_unread(unread, json=json or csv_)


def _row(one: OwnedTask) -> dict[str, object]:
    task = one.task
    return {
        "programme": one.programme.title,
        "item": task.item,
        "item_title": one.programme.items[task.item].title,
        "task": task.number,
        "title": task.title,
        "owner": task.owner,
        "due": task.due,
        "standing": task.standing,
        "review_on": task.review_on,
    }


def _as_table(rows: list[OwnedTask]) -> str:
    """With the columns of a table of acts, the act empty, and beside them what it is about."""
    from hotline.governance.acts import COLUMNS

    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow([*COLUMNS, "title", "owner", "due", "standing"])
    for programme, task in rows:
        act = (programme.programme_id, task.number, "", "", "")
        writer.writerow([*act, task.title, task.owner, task.due, task.standing.value])
    return told.getvalue()


async def _unit(name: str) -> str:
    from deploy.city.registry import city_up
    from hotline.lookup import unit_named

    return unit_named(name, city_up().catalogue)


def _text(file: Path, expected: str) -> str:
    from shared.text_file import FileUnreadable, text_of

    try:
        return text_of(file, expected)
    except FileUnreadable as error:
        fail(f"{error}.", code=2)


def _rows(text: str, name: str, columns: tuple[str, ...], of: str) -> Iterator[dict[str, str]]:
    from shared.text_file import FileUnreadable, rows_in

    try:
        yield from rows_in(text, name, columns, of)
    except FileUnreadable as error:
        fail(f"{error}.", code=2)


async def _begun(by: str) -> tuple[City, Speaker]:
    from deploy.city.registry import city_up

    city = city_up()
    return city, Speaker(city, by, await city_now(city))


async def _imported(text: str, name: str, by: str) -> tuple[TableOutcome, list[WishRefused]]:
    from hotline.governance.log import programmes
    from hotline.governance.table import COLUMNS, programmes_in

    city, said = await _begun(by)
    tabled = programmes_in(_rows(text, name, COLUMNS, _TABLE), name, said.unit)
    async with programmes(city.endpoints.login("governor")) as log:
        states = await _by_id(log)
        # All are looked at before the first is recorded: a conflict or a citizen's number leaves nothing behind.
        wanted = [checked(_missing(one, states.get(one.programme_id), said, name)) for one in tabled]
        facts = [fact for wishes in wanted if wishes for fact in (await log.record(wishes))[0]]
    return _taken(len(tabled), facts)


async def _updated(text: str, name: str, by: str) -> tuple[TableOutcome, list[WishRefused]]:
    from hotline.governance.acts import COLUMNS, acts_in
    from hotline.governance.log import programmes

    city, said = await _begun(by)
    async with programmes(city.endpoints.login("governor")) as log:
        rows = list(_rows(text, name, COLUMNS, _ACTS))
        called = {text: await log.named(text) for text in {row["programme"] for row in rows}}
        acts = acts_in(rows, name, lambda text: _known(called[text]), said.by, said.now)
        wanted = [checked(wishes) for wishes in acts.values()]
        facts = [fact for wishes in wanted for fact in (await log.record(wishes, each=True))[0]]
    return _taken(len(acts), facts)


def _known(called: ProgrammeId | UserError) -> ProgrammeId:
    if isinstance(called, str):
        return called
    raise called


async def _by_id(log: Programmes) -> dict[ProgrammeId, Programme]:
    """All programmes; `UserError` where a fact cannot be read: nothing is decided on a past that is not the whole."""
    from shared.runtime.errors import UserError

    unread = none_unread()
    found = {one.programme_id: one for one in await log.all(unread)}
    if unread:
        raise UserError(unread.line())
    return found


def _missing(one: TabledProgramme, state: Programme | None, said: Speaker, name: str) -> list[Wanted]:
    from hotline.governance.table import TableInvalid, missing
    from shared.runtime.errors import UserError

    try:
        return missing(one, state, said.by, said.now)
    except UserError as error:
        told = str(error).rstrip(".")
        raise TableInvalid(f"{name}: nothing is recorded. On record is {told}.") from None


def _taken(programmes: int, facts: list[Recorded]) -> tuple[TableOutcome, list[WishRefused]]:
    from hotline.governance import facts as f

    refused = [fact for fact in facts if isinstance(fact, f.WishRefused)]
    items = sum(isinstance(fact, f.ItemNamed) for fact in facts)
    tasks = sum(isinstance(fact, f.TaskSet) for fact in facts)
    return TableOutcome(programmes, items, tasks, len(facts), len(refused)), refused


def _tell(taken: TableOutcome, refused: list[WishRefused], *, json: bool) -> None:
    """The outcome; ends the command where anything was refused."""
    if json:
        say_record({**taken._asdict(), "refusals": refused})
    elif not taken.recorded:
        say("It was so already; nothing changed.")
    else:
        new = (
            f", {taken.items:,} items and {taken.tasks:,} tasks of them new"
            if taken.tasks or taken.items
            else ""
        )
        say(f"{taken.programmes:,} programmes: {taken.recorded - taken.refused:,} facts recorded{new}.")
    for fact in refused[:_REFUSALS_SHOWN]:
        number = getattr(fact.wanted, "task", "")
        note(f"programme {fact.programme_id[:8]}{f', task {number}' if number else ''}: {fact.reason}")
    if refused:
        fail(f"{len(refused):,} of {taken.recorded:,} were refused.")
