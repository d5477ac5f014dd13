"""`hotline caller`: marks of malicious callers, which warn an agent and block nothing."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.run import Json, answer, demand_words, fail, run
from hotline.parsing import ID_MAX
from hotline.terminal import LISTED_MAX as TITLE_MAX
from hotline.terminal import cell, say, say_json
from shared import times
from shared.text import unplain

if TYPE_CHECKING:
    from hotline.caller_marks import CallerMark, MarkDecision

caller = typer.Typer(
    help="Mark a malicious caller: one person proposes, another decides, it expires, the caller may object.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Phone = Annotated[
    str, typer.Argument(metavar="PHONE", help="The caller's number; only its place in the index is kept.")
]
_Mark = Annotated[int, typer.Argument(min=1, max=ID_MAX, help="The mark by its number in the list.")]
_By = Annotated[
    str, typer.Option("--as", metavar="ID", help="Your id in the register, as `hotline staff list` shows it.")
]
_Reason = Annotated[str, typer.Option(help="Why; it stays on record, without any number.")]


@caller.command("list")
def list_(*, json: Json = False) -> None:
    """List the marks, what waits for a decision first."""
    rows = run(_listed())
    if json:
        told = [one._asdict() for one in rows]
        say_json(json_module.dumps(told, indent=2, default=str, ensure_ascii=False))
        return
    if not rows:
        say("No caller is marked.")
        return
    _print(rows)


@caller.command()
def propose(phone: _Phone, reason: _Reason, by: _By, *, json: Json = False) -> None:
    """Propose to mark a caller, as an agent; nobody is warned before supervision approves it."""
    _demand(reason, by, phone)
    made = run(_of_number(phone, by, reason, proposed=True))
    answer(f"Mark {made} is proposed. Supervision decides.", json=json, mark=made)


@caller.command("object")
def object_(
    phone: _Phone,
    reason: Annotated[str, typer.Option(help="The caller's words; they stay on record, without any number.")],
    by: _By,
    *,
    json: Json = False,
) -> None:
    """Write down, as an agent, that a marked caller objects."""
    _demand(reason, by, phone)
    made = run(_of_number(phone, by, reason, proposed=False))
    answer(f"The objection to mark {made} is on record. Supervision decides.", json=json, mark=made)


@caller.command()
def approve(mark: _Mark, reason: _Reason, by: _By, *, json: Json = False) -> None:
    """Approve a proposal, as supervision: from now on the mark warns, until it expires."""
    _decided(mark, "APPROVED", by, reason, f"Mark {mark} is approved, and warns.", json=json)


@caller.command()
def refuse(mark: _Mark, reason: _Reason, by: _By, *, json: Json = False) -> None:
    """Refuse a proposal, as supervision."""
    _decided(mark, "REFUSED", by, reason, f"Mark {mark} is refused.", json=json)


@caller.command()
def lift(mark: _Mark, reason: _Reason, by: _By, *, json: Json = False) -> None:
    """Lift a mark, as supervision: it warns no more."""
    _decided(mark, "LIFTED", by, reason, f"Mark {mark} is lifted.", json=json)


@caller.command()
def uphold(mark: _Mark, reason: _Reason, by: _By, *, json: Json = False) -> None:
    """Keep a mark in force, as supervision, although its caller objects."""
    _decided(mark, "UPHELD", by, reason, f"Mark {mark} stays in force.", json=json)


def _decided(mark: int, decision: str, by: str, reason: str, sentence: str, *, json: bool) -> None:
    from hotline.caller_marks import MarkDecision

    _demand(reason, by)
    run(_decide(mark, MarkDecision(decision), by, reason))
    answer(sentence, json=json, mark=mark, decision=decision)


def _demand(reason: str, by: str, phone: str | None = None) -> None:
    """End here where the reason, the id or the number cannot be what was typed."""
    from hotline.caller_marks import wrong_reason
    from shared.contacts.callers import is_number

    if phone is not None and not is_number(phone):
        fail("PHONE: expected a telephone number.", code=2)
    demand_words("--as", by)
    if unplain(by):
        fail("--as: expected the id of a person, as `hotline staff list` shows it.", code=2)
    if wrong := wrong_reason(reason):
        fail(f"--reason: {wrong}", code=2)


async def _listed() -> list[CallerMark]:
    from deploy.city.registry import city_up
    from hotline.caller_marks import listed
    from shared.log.reading import reader

    connection = await reader(city_up().endpoints.logins["reader"])
    try:
        return await listed(connection)
    finally:
        await connection.close()


async def _of_number(phone: str, by: str, reason: str, *, proposed: bool) -> int:
    from deploy.city.registry import city_up
    from hotline import caller_marks
    from hotline.contact_details import callers_key_of
    from shared.log.acts import acting
    from shared.policy.ruleset import ruleset

    city = city_up()
    place = callers_key_of(city).index(phone)
    async with acting(city.endpoints.login("agent")) as agent:
        if proposed:
            days = ruleset(city.ruleset).caller_mark_days
            return await caller_marks.propose(agent, place, by, reason, days)
        return await caller_marks.object_to(agent, place, by, reason)


async def _decide(mark: int, decision: MarkDecision, by: str, reason: str) -> None:
    from deploy.city.registry import city_up
    from hotline.caller_marks import decide
    from shared.log.acts import acting

    async with acting(city_up().endpoints.login("operator")) as operator:
        await decide(operator, mark, decision, by, reason)


def _print(rows: list[CallerMark]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from deploy.city.registry import city_up

    zone = times.zone_of(city_up().ruleset)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("mark", "stands", "reason", f"proposed ({zone})", "by", "over at"):
        table.add_column(column, overflow="fold")
    for one in rows:
        cells: list[Any] = [str(one.mark_id), one.standing, cell(one.reason[:TITLE_MAX])]
        cells += [
            times.shown(one.proposed_at, zone),
            cell(one.proposed_by),
            times.shown(one.expires_at, zone),
        ]
        table.add_row(*cells)
    Console(highlight=False, markup=False).print(table)
