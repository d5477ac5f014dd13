"""`hotline up | status | down | wipe`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from hotline.commands.run import run


def up(
    city: Annotated[
        str, typer.Option(help="The city's name: its database and the prefix of its topics.")
    ] = "hotline",
    catalogue: Annotated[str, typer.Option(help="A dispatch catalogue of your own (JSON).")] = "",
    ruleset: Annotated[
        str, typer.Option(help="The rule set new complaints are born under.")
    ] = "beijing-draft-2021",
    traces_ratio: Annotated[
        float, typer.Option(help="Share of all lives that is traced.", min=0, max=1)
    ] = 1.0,
    *,
    stack_only: Annotated[
        bool, typer.Option("--stack-only", help="No services: to look into what is there.")
    ] = False,
) -> None:
    """Start the stack and the services, in real time; nothing happens where they run."""
    if stack_only:
        run(_up_stack())
        return
    run(_up(city, str(Path(catalogue).absolute()) if catalogue else "", ruleset, traces_ratio))


async def _up_stack() -> None:
    from hotline.stack.stack import Stack
    from hotline.where import city_up, folder

    await Stack(folder()).up()
    city = city_up()
    print(
        f"The log of city {city.realm.name!r} can be read: `hotline show`, `hotline verify`, `hotline parked`."
    )


async def _up(name: str, path: str, ruleset: str, traces_ratio: float) -> None:
    from hotline.realm import create
    from hotline.serve import leave_running, wait_until_open
    from hotline.stack.stack import Stack
    from hotline.where import City, folder, remember_city
    from shared.catalogue import catalogue
    from shared.ruleset import RuleSetUnknown
    from shared.ruleset import ruleset as known_ruleset

    try:
        known_ruleset(ruleset)
    except RuleSetUnknown as error:
        from hotline.commands.run import fail

        fail(str(error))
    units = catalogue(path).units
    stack = Stack(folder())
    addresses = await stack.up()
    if all(health.up for health in stack.services().values()) and stack.services():
        print("The services run already.")
    else:
        realm = await create(addresses, name, units)
        remember_city(City(realm=realm, ruleset=ruleset, catalogue=path, traces_ratio=traces_ratio))
        leave_running(name)
        await wait_until_open(realm)
        print(f"City {name!r} is open: intake, dispatch, escalation, feedback and the relay run.")
    print(f"  Kafka       {addresses.kafka}")
    print(f"  PostgreSQL  {addresses.postgres.rpartition('@')[2]}  (passwords: {folder()}/city.json)")
    print(f"  traces      {addresses.zipkin}/zipkin/")
    print("Next: `hotline call --help` records a request, `hotline unit UNIT` answers it, `hotline status`.")


def status(*, json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False) -> None:
    """What runs, and how far behind each desk is."""
    found = run(_status())
    if json:
        print(json_module.dumps(found, indent=2, default=str))
        return
    _print_status(found)


async def _status() -> dict[str, Any]:
    import psutil

    from hotline.serve import behind, counts
    from hotline.stack.stack import Stack
    from hotline.where import city_up, folder

    city = city_up()
    stack = Stack(folder())
    parts = await stack.check()
    processes: dict[str, Any] = {}
    for name, health in {**parts, **stack.services()}.items():
        entry: dict[str, Any] = {"up": health.up, "pid": health.pid, "port": health.port}
        if health.pid is not None and psutil.pid_exists(health.pid):
            process = psutil.Process(health.pid)
            entry["memory_mb"] = process.memory_info().rss >> 20
            entry["cpu_seconds"] = round(sum(process.cpu_times()[:2]), 1)
        processes[name] = entry
    return {
        "city": city.realm.name,
        "time": city.time,
        "processes": processes,
        "behind": await behind(city.realm),
        "counts": await counts(city.realm),
    }


def _print_status(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"city {found['city']} ({found['time']} time)")
    for column in ("process", "", "pid", "port", "memory", "CPU"):
        table.add_column(column, justify="left" if column in {"process", ""} else "right")
    for name, entry in found["processes"].items():
        table.add_row(
            name,
            "up" if entry["up"] else "[red]down",
            str(entry["pid"] or ""),
            str(entry["port"] or ""),
            f"{entry['memory_mb']} MB" if "memory_mb" in entry else "",
            f"{entry['cpu_seconds']} s" if "cpu_seconds" in entry else "",
        )
    console.print(table)
    lag = ", ".join(f"{desk} {messages}" for desk, messages in found["behind"].items())
    console.print(f"messages behind: {lag}")
    console.print(", ".join(f"{name} {number}" for name, number in found["counts"].items()))


def down() -> None:
    """Stop services and stack; what is in the log stays."""
    run(_down())


async def _down() -> None:
    from hotline.stack.stack import Stack
    from hotline.where import folder

    await Stack(folder()).down()
    print(
        f"Everything is stopped. The log stays in {folder()}: `hotline up` goes on, `hotline wipe` removes it."
    )


def wipe(*, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove the stack's folder with all its data."""
    from hotline.stack.errors import StackError
    from hotline.stack.stack import Stack
    from hotline.where import folder

    if not folder().exists():
        print(f"There is nothing in {folder()}.")
        return
    if not yes:
        typer.confirm(f"Remove {folder()} with every complaint in it?", abort=True)
    try:
        Stack(folder()).wipe()
    except StackError as error:
        from hotline.commands.run import fail

        fail(str(error))
    print(f"{folder()} is removed.")
