"""`hotline status`: what runs, how far behind each desk is, what is under way."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Any

import typer

from hotline.cli.run import Json, is_up, run
from hotline.cli.unread import none_unread
from hotline.terminal import cell, say, say_json

if TYPE_CHECKING:
    from deploy.city.registry import City
    from deploy.supervision.stalled import CityProgress
    from deploy.supervision.stopped import Stopped


def status(*, json: Json = False) -> None:
    """Show what runs and how far behind each desk is.

    Where work waits it looks for up to five seconds whether it moves: a process may be there and stand still.
    Exit code 1 where something is down or stands still, or waits for a person.
    """
    found = run(is_up(_status(), json=json))
    if json:
        say_json(json_module.dumps(found, indent=2))
    else:
        _print_status(found)
    if found["unreadable"] and not json:
        say(found["unreadable"])
    if not found["up"] or found["stalled"] or found["stopped"]:
        raise typer.Exit(1)


async def _status() -> dict[str, Any]:
    from deploy.city.processes import counts, restarts
    from deploy.city.registry import RESTARTS_FILE, city_up, folder, remembered, supervised, typed, up_again
    from deploy.embedded.stack import Stack
    from deploy.supervision.stalled import look, stalled
    from hotline.client import now_of
    from shared.policy.catalogue import catalogue
    from shared.runtime.errors import UserError

    stack = Stack(folder())
    parts = await stack.check()
    services = stack.services()
    city = remembered()
    answers = parts["kafka"].up and parts["postgres"].up
    starting = [name for name, part in parts.items() if part.starting and part.needed]
    if city is None and starting:
        raise UserError(f"The stack is starting ({', '.join(starting)}): {typed(up_again())} waits for it.")
    if city is None or answers or not any(part.pid for part in (*parts.values(), *services.values())):
        city = city_up()  # says what is missing
    brought_back = restarts(folder() / RESTARTS_FILE, list(services))
    processes = {
        **{name: _process(health, "part", city) for name, health in parts.items()},
        **{
            name: _process(health, "service", city) | {"restarts": brought_back[name]}
            for name, health in services.items()
        },
    }
    known = catalogue(city.catalogue)
    standing = await look(city.endpoints, known) if answers else None
    unread = none_unread()
    lists = await _lists(city) if answers else None
    return {
        # Nobody has to wait for a viewer that starts.
        "up": bool(services)
        and all(part.up or (part.starting and not part.needed) for part in parts.values())
        and all(service.up for service in services.values()),
        "supervised": supervised(),
        "city": city.endpoints.name,
        "http": f"http://127.0.0.1:{city.public_port}" if city.public_port else None,
        "http_staff": f"http://127.0.0.1:{city.staff_port}" if city.staff_port else None,
        "present": (await now_of(city)).isoformat(timespec="seconds") if answers else None,
        "program": city.served.program,
        "ruleset": city.ruleset,
        "logs": city.logs,
        "one_process": city.one_process,
        "processes": processes,
        "behind": standing.behind if standing is not None else None,
        "stalled": await stalled(city.endpoints, known, standing)
        if standing is not None and services
        else {},
        "stopped": [_stopped(one, standing) for one in standing.stopped] if standing is not None else [],
        "lists": lists,
        "counts": await counts(city.endpoints, unread) if answers else None,
        # After the counts: a sentence on the rows that are in none of them.
        "unreadable": unread.line(),
    }


async def _lists(city: City) -> dict[str, Any] | None:
    """How far the lists are, and with them the counts; None where nothing has made them yet."""
    from hotline.readside.standing import caught_up
    from shared.log.postgres import SETTINGS
    from shared.log.reading import reader
    from shared.runtime.errors import UserError

    connection = await reader(city.endpoints.logins["reader"], SETTINGS)
    try:
        standing = await caught_up(connection)
    except UserError:
        return None
    finally:
        await connection.close()
    return {
        "position": standing.position,
        "behind_seconds": round(standing.behind.total_seconds(), 1),
        "making": standing.going,
        "told": standing.line(),
    }


def _process(health: Any, kind: str, city: City) -> dict[str, Any]:
    from datetime import UTC, datetime

    from deploy.city.processes import running

    known = running(health.pid, (city.public_port, city.staff_port)) if health.pid is not None else None
    return {
        "kind": kind,
        "up": health.up,
        "starting": health.starting,
        "pid": health.pid,
        "port": health.port or (known.listens if known else None),
        "since": datetime.fromtimestamp(known.since, UTC).isoformat(timespec="seconds") if known else None,
        "memory_mb": known.memory_mb if known else None,
        "cpu_seconds": known.cpu_seconds if known else None,
    }


def _stopped(one: Stopped, standing: CityProgress) -> dict[str, Any]:
    """A topic or door that stopped and waits for a person; how many messages lie there."""
    waiting = (number for at, number in standing.left.items() if one.holds(at[0], at[1], standing.prefix))
    return {
        "desk": one.desk,
        "door": one.door,
        "topic": one.topic or None,
        "where": one.where,
        "since": one.since.isoformat(timespec="seconds"),
        "reason": one.reason,
        "resume": one.resume,
        "behind": sum(waiting),
    }


def _print_status(found: dict[str, Any]) -> None:
    from datetime import datetime

    from rich import box
    from rich.console import Console
    from rich.table import Table

    from deploy.city.endpoints import DESKS, PROJECTOR
    from deploy.city.served import AS_EVERYWHERE
    from shared.ids import TOGETHER
    from shared.times import shown, zone_of

    console = Console(highlight=False)
    behind = found["behind"] or {}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("", "", "pid", "port", "for", "restarts", "memory", "CPU", "behind"):
        table.add_column(column, justify="left" if not column else "right")
    for name, entry in found["processes"].items():
        desk = name.partition("-")[0]
        table.add_row(
            name,
            _state(found, desk, entry),
            _text(entry["pid"]),
            _text(entry["port"]),
            _age(entry["since"]),
            _text(entry.get("restarts")),
            _text(entry["memory_mb"], " MB"),
            _text(entry["cpu_seconds"], " s"),
            _behind(name, behind.get(desk)) if name != PROJECTOR else _late(found["lists"]),
        )
        if desk == TOGETHER:
            for one in DESKS:
                table.add_row(f"  {one}", _state(found, one), *[""] * 6, _behind(one, behind.get(one)))
    present = datetime.fromisoformat(found["present"]) if found["present"] else None
    at = f" at {shown(present, zone_of(found['ruleset']))}" if present is not None else ""
    program = f", served by {found['program']}" if found["program"] != AS_EVERYWHERE.program else ""
    console.print(cell(f"City {found['city']}{at}, rule set {found['ruleset']}{program}"))
    console.print(table)
    if found["http"]:
        console.print(cell(f"HTTP: {found['http']}, for staff {found['http_staff']}"))
    _print_who_stands(console, found)
    _print_counts(console, found)
    if not found["supervised"]:
        console.print(
            cell(f"Nobody keeps services alive here: `hotline up --city {found['city']}` starts them.")
        )
    elif any(not (entry["up"] or entry["starting"]) for entry in found["processes"].values()):
        console.print(
            cell(f"What is down is started again by itself; why it fell stands in {found['logs']}.")
        )


def _print_counts(console: Any, found: dict[str, Any]) -> None:
    counts = found["counts"]
    if counts is not None:
        console.print(
            f"{counts['calls']:,} calls · {counts['complaints']:,} complaints, {counts['open']:,} open · "
            f"{counts['facts']:,} facts · {counts['timers']:,} timers set · {counts['parked']:,} parked"
        )
        lists = found["lists"]
        console.print(cell(lists["told"] if lists else "The lists, and so these counts, are not made yet."))
        if counts["parked"]:
            console.print("`hotline parked list` shows what could not be handled, and why.")
        if counts["to_correct"]:
            console.print(
                f"{counts['to_correct']:,} of them name what the catalogue does not know: "
                "`hotline request to-correct` lists them."
            )


def _print_who_stands(console: Any, found: dict[str, Any]) -> None:
    from rich.text import Text

    from deploy.city.endpoints import DESKS
    from shared.ids import TOGETHER

    for one in found["stopped"]:
        why = f" {one['where']}, {one['behind']:,} messages wait: {one['reason']}. `{one['resume']}` lets it go on."
        console.print(Text.assemble(cell(f"{one['desk']} takes nothing in", style="red"), cell(why)))
    for desk, how in found["stalled"].items():
        log = TOGETHER if found["one_process"] and desk in DESKS else desk
        told = cell(f" {how}. Its log: {found['logs']}/{log}.log")
        console.print(Text.assemble(cell(f"{desk} stands still:", style="red"), told))


def _state(found: dict[str, Any], desk: str, process: dict[str, Any] | None = None) -> str:
    if process is not None and not process["up"]:
        return "[yellow]starting[/]" if process["starting"] else "[red]down[/]"
    return "[red]stands still[/]" if desk in found["stalled"] else "up"


def _text(value: object, unit: str = "") -> str:
    return "" if value is None else f"{value}{unit}"


def _behind(name: str, behind: int | None) -> str:
    if behind is None:
        return ""
    return f"{behind:,}" if name != "relay" or behind == 0 else "publishing"


def _late(lists: dict[str, Any] | None) -> str:
    if lists is None:
        return ""
    return "making" if lists["making"] else f"{lists['behind_seconds']:,.1f} s"


def _age(since: str | None) -> str:
    from datetime import UTC, datetime

    if since is None:
        return ""
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"
