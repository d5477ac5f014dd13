"""`hotline unit UNIT`: be a department."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.commands.run import fail, run

if TYPE_CHECKING:
    from hotline.where import City
    from shared.complaint import Complaint
    from shared.inputs import Input

HELP = """orders: `list`, `sign N`, `answer N TEXT`, `return N REASON: EVIDENCE`, `quit`"""


def unit(
    unit: Annotated[str, typer.Argument(help="The unit's id or name, such as street-haidian-huayuanlu.")],
    sign: Annotated[str, typer.Option(help="Sign the order of this complaint.")] = "",
    answer: Annotated[str, typer.Option(help="Answer the order of this complaint (with --text).")] = "",
    return_: Annotated[
        str, typer.Option("--return", help="Return this complaint (with --reason, --evidence).")
    ] = "",
    text: Annotated[str, typer.Option(help="What was done.")] = "",
    reason: Annotated[str, typer.Option(help="Why it is not yours.")] = "",
    evidence: Annotated[str, typer.Option(help="What shows it.")] = "",
    *,
    unsolved: Annotated[
        bool, typer.Option("--unsolved", help="With --answer: you do not claim it is solved.")
    ] = False,
    list_only: Annotated[bool, typer.Option("--list", help="List the open orders and end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The list, for a program to read.")] = False,
) -> None:
    """Be a department: see your orders arrive, answer them."""
    if answer and not text:
        fail("--answer needs --text: what was done.")
    if return_ and not (reason and evidence):
        fail("--return needs --reason and --evidence.")
    run(_unit(unit, sign, answer, return_, text, reason, evidence, not unsolved, list_only or json, json))


async def _unit(
    name: str,
    sign: str,
    answer: str,
    return_: str,
    text: str,
    reason: str,
    evidence: str,
    solved: bool,  # noqa: FBT001 -- as typed
    list_only: bool,  # noqa: FBT001
    json: bool,  # noqa: FBT001
) -> None:
    from hotline.where import city_up
    from shared import inputs

    city = city_up()
    unit = _known(name, city.catalogue)
    if sign or answer or return_:
        case = await _order(city, unit, sign or answer or return_)
        assignment = case.order.assignment if case.order else 1
        data: Input
        if sign:
            data = inputs.OrderSigned(complaint_id=case.complaint_id, assignment=assignment)
        elif answer:
            data = inputs.OrderAnswered(
                complaint_id=case.complaint_id, assignment=assignment, result=text, claims_solved=solved
            )
        else:
            data = inputs.ReturnRequested(
                complaint_id=case.complaint_id, assignment=assignment, reason=reason, evidence=evidence
            )
        await _reply(city, unit, case, data)
        return
    cases = await _open(city, unit)
    if list_only:
        _print_list(cases, json=json)
        return
    await _sit(city, unit)


def _known(name: str, path: str) -> str:
    """The unit's id, by id or name."""
    from difflib import get_close_matches

    from shared.catalogue import catalogue

    units = catalogue(path).units
    if name in units:
        return name
    by_name = {unit.name: unit_id for unit_id, unit in units.items()}
    if name in by_name:
        return by_name[name]
    near = get_close_matches(name, [*units, *by_name], n=3, cutoff=0.4)
    hint = f"; near: {', '.join(near)}" if near else ""
    return fail(f"No unit {name!r} in the catalogue{hint}.")


async def _open(city: City, unit: str) -> list[Complaint]:
    import asyncpg

    from services.dispatch.views import open_orders

    connection = await asyncpg.connect(city.realm.logins["reader"])
    try:
        return await open_orders(connection, unit)
    finally:
        await connection.close()


async def _order(city: City, unit: str, complaint: str) -> Complaint:
    import asyncpg

    from shared.complaint import head_of

    connection = await asyncpg.connect(city.realm.logins["reader"])
    try:
        rows = await connection.fetch(
            "SELECT state FROM es.stream WHERE stream_id::text LIKE $1 || '%' LIMIT 2", complaint.lower()
        )
    finally:
        await connection.close()
    if len(rows) != 1:
        which = "is not on record" if not rows else "is not the beginning of one complaint only"
        fail(f"{complaint} {which}; `hotline unit {unit} --list` shows your orders.")
    case = head_of(rows[0][0])
    if case.order is None:
        fail(f"{complaint} has no order yet.")
    return case


async def _reply(city: City, unit: str, case: Complaint, data: Input) -> None:
    from hotline.speak import effect, tell
    from shared.events import ReplyRefused
    from shared.topics import DISPATCH_REPLIES

    identity = await tell(city.realm, DISPATCH_REPLIES, case.complaint_id, data, unit=unit)
    facts = await effect(city.realm, case.complaint_id, identity)
    if not facts:
        print("It was so already; nothing changed.")
    for fact in facts:
        if isinstance(fact, ReplyRefused):
            fail(f"Refused: {fact.reason}.")
        print(f"{type(fact).__name__}: {case.complaint_id}")


def _print_list(cases: list[Complaint], *, json: bool) -> None:
    if json:
        rows = [_row(case) for case in cases]
        print(json_module.dumps(rows, indent=2, ensure_ascii=False, default=str))
        return
    if not cases:
        print("No open orders.")
    for number, case in enumerate(cases, start=1):
        row = _row(case)
        state = "signed" if row["signed"] else "new"
        print(
            f"{number:3}  {row['complaint_id'][:8]}  {state:6}  due {row['due_at']:%Y-%m-%d %H:%M}  {row['title']}"
        )


def _row(case: Complaint) -> dict[str, Any]:
    from zoneinfo import ZoneInfo

    from shared.ruleset import ruleset

    order = case.order
    if order is None:
        raise LookupError(case.complaint_id)
    return {
        "complaint_id": case.complaint_id,
        "assignment": order.assignment,
        "round": order.round,
        "signed": order.signed_at is not None,
        "due_at": order.feedback_due_at.astimezone(ZoneInfo(ruleset(case.ruleset).timezone)),
        "subject": case.subject,
        "title": case.title,
        "content": case.content,
        "address": case.address,
    }


async def _sit(city: City, unit: str) -> None:
    """At the desk: orders are printed as they come, lines typed are replies."""
    import asyncio
    import sys

    from shared import inputs

    cases = await _open(city, unit)
    print(f"You are {unit}. {HELP}")
    _print_list(cases, json=False)
    watching = asyncio.ensure_future(_watch(city, unit))
    try:
        while True:
            line = (await asyncio.to_thread(sys.stdin.readline)).strip()
            verb, _, rest = line.partition(" ")
            number, _, words = rest.partition(" ")
            if not line or verb in {"quit", "exit", "q"}:
                return
            if verb == "list":
                cases = await _open(city, unit)
                _print_list(cases, json=False)
                continue
            if (
                verb not in {"sign", "answer", "return"}
                or not number.isdigit()
                or not 1 <= int(number) <= len(cases)
            ):
                print(HELP)
                continue
            case = cases[int(number) - 1]
            assignment = case.order.assignment if case.order else 1
            data: Input
            if verb == "sign":
                data = inputs.OrderSigned(complaint_id=case.complaint_id, assignment=assignment)
            elif verb == "answer":
                data = inputs.OrderAnswered(
                    complaint_id=case.complaint_id, assignment=assignment, result=words, claims_solved=True
                )
            else:
                why, _, shown = words.partition(":")
                data = inputs.ReturnRequested(
                    complaint_id=case.complaint_id,
                    assignment=assignment,
                    reason=why.strip() or "not ours",
                    evidence=shown.strip() or why.strip() or "not ours",
                )
            try:
                await _reply(city, unit, case, data)
            except typer.Exit:
                continue
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(city: City, unit: str) -> None:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    from shared.cloudevents import header
    from shared.codec import decoded, fact_type_of
    from shared.events import ComplaintDispatched
    from shared.topics import DISPATCH_ORDERS

    topic = TopicPartition(city.realm.prefix + DISPATCH_ORDERS.of(unit), 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=city.realm.kafka, auto_offset_reset="latest")
    await consumer.start()
    try:
        consumer.assign([topic])
        await consumer.seek_to_end(topic)
        async for record in consumer:
            named = fact_type_of(header(record.headers, "ce_type") or b"")
            if named is None or record.value is None:
                continue
            fact = decoded(*named, record.value)
            if isinstance(fact, ComplaintDispatched):
                print(f"new order {fact.complaint_id[:8]} (round {fact.round}): {fact.title}; type `list`")
            else:
                print(f"{type(fact).__name__}: {fact.complaint_id[:8]}")
    finally:
        await consumer.stop()
