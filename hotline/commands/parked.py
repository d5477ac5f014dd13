"""`hotline parked`: what could not be handled, and the way back."""

from __future__ import annotations

import json as json_module
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hotline.commands.run import fail, run

parked = typer.Typer(
    help="What could not be handled, with the reason; release puts it back.", no_args_is_help=True
)
Number = Annotated[int, typer.Argument(help="The number `hotline parked list` shows.")]

_LIST = """
SELECT parked_id, consumer, topic, kafka_offset, complaint_id, reason, parked_at, released_at
FROM es.parked ORDER BY parked_id LIMIT 1000
"""


@parked.command("list")
def list_parked(
    *, json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False
) -> None:
    """List what is parked, oldest first."""
    rows = run(_rows(_LIST))
    if json:
        print(json_module.dumps(rows, indent=2, default=str))
        return
    if not rows:
        print("Nothing is parked.")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{len(rows)} parked")
    for column in ("number", "desk", "topic", "since", "reason"):
        table.add_column(column, overflow="fold")
    for row in rows:
        released = " (released)" if row["released_at"] else ""
        table.add_row(
            str(row["parked_id"]),
            row["consumer"],
            f"{row['topic']} @{row['kafka_offset']}",
            f"{row['parked_at']:%Y-%m-%d %H:%M:%S}",
            row["reason"] + released,
        )
    Console().print(table)


@parked.command()
def show(number: Number) -> None:
    """Show one message whole: headers, data, reason."""
    from shared.log.postgres import headers_of

    rows = run(_rows("SELECT * FROM es.parked WHERE parked_id = $1", number))
    row = _only(rows, number)
    sent_at = datetime.fromtimestamp(row["sent_at_ms"] / 1000, UTC)
    print(f"{row['topic']} partition {row['part']} offset {row['kafka_offset']}, sent {sent_at.isoformat()}")
    print(f"parked by {row['consumer']} at {row['parked_at'].isoformat()}: {row['reason']}")
    if row["complaint_id"] is not None:
        print(f"complaint {row['complaint_id']}; later messages of it wait behind this one")
    print(f"key: {_readable(row['key'])}")
    for name, value in headers_of(row["headers"]):
        print(f"  {name}: {_readable(value)}")
    print(_readable(row["value"]))


@parked.command()
def release(number: Number) -> None:
    """Hand a message to its desk again; it leaves the parking with its effect, or stays with a new reason."""
    done = run(_execute("UPDATE es.parked SET released_at = clock_timestamp() WHERE parked_id = $1", number))
    if done != "UPDATE 1":
        fail(f"Nothing is parked under {number}: `hotline parked list` shows what is.")
    print(f"{number} is released; its desk takes it up within a second or two.")


@parked.command()
def drop(
    number: Number,
    reason: Annotated[str, typer.Option(help="Why it will not be handled; kept with the message.")],
) -> None:
    """Take a message out for good; it is kept in es.parked_dropped with the reason."""
    if not reason.strip():
        fail("A reason is needed: --reason TEXT.")
    statement = """
        WITH gone AS (DELETE FROM es.parked WHERE parked_id = $1 RETURNING *)
        INSERT INTO es.parked_dropped SELECT gone.*, $2 FROM gone
    """
    done = run(_execute(statement, number, reason))
    if done != "INSERT 0 1":
        fail(f"Nothing is parked under {number}: `hotline parked list` shows what is.")
    print(f"{number} is dropped.")


async def _rows(statement: str, *values: object) -> list[dict[str, Any]]:
    import asyncpg

    from hotline.where import find_city

    connection = await asyncpg.connect(find_city().logins["reader"])
    try:
        return [dict(row) for row in await connection.fetch(statement, *values)]
    finally:
        await connection.close()


async def _execute(statement: str, *values: object) -> str:
    import asyncpg

    from hotline.where import find_city

    connection = await asyncpg.connect(find_city().owner_dsn)
    try:
        return await connection.execute(statement, *values)
    finally:
        await connection.close()


def _only(rows: list[dict[str, Any]], number: int) -> dict[str, Any]:
    if not rows:
        fail(f"Nothing is parked under {number}: `hotline parked list` shows what is.")
    return rows[0]


def _readable(value: bytes | None) -> str:
    if value is None:
        return "(null)"
    text = value[:4000].decode("utf-8", "backslashreplace")
    return text if len(value) <= len(text.encode()) else f"{text} … ({len(value)} bytes)"
