"""`hotline up`: the stack, a city on it, and somebody who keeps both alive."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.arguments import finite
from hotline.cli.page_links import print_links, print_people
from hotline.cli.run import fail, run
from hotline.terminal import note, say, say_json
from shared.versions import RULESET

if TYPE_CHECKING:
    from deploy.city.registry import City
    from deploy.embedded.stack import Addresses
    from hotline.own_city.check import OwnCity
    from shared.policy.catalogue import Catalogue


def up(
    city: Annotated[
        str, typer.Option(help="The city's name: its database, and what stands before its topics.")
    ] = "hotline",
    catalogue: Annotated[
        Path | None,
        typer.Option(
            help="A dispatch catalogue of your own (JSON); the city keeps it.", exists=True, dir_okay=False
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="All data of a city of your own, as `hotline city new` writes them; the city keeps them.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    ruleset: Annotated[
        str,
        typer.Option(help=f"The rule set new complaints are born under; else the city's own, or {RULESET}."),
    ] = "",
    traces_ratio: Annotated[
        float, typer.Option(help="Share of all lives that is traced.", min=0, max=1, callback=finite)
    ] = 1.0,
    *,
    one_process: Annotated[
        bool,
        typer.Option(
            "--one-process",
            help="All desks in one process, for a small town; the next start without it gives each its own.",
        ),
    ] = False,
    stack_only: Annotated[
        bool, typer.Option("--stack-only", help="No services: only to look into what is there.")
    ] = False,
    observe: Annotated[
        bool,
        typer.Option("--observe", help="A Prometheus reads the city, where there is one on this machine."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The addresses, for a program to read.")] = False,
) -> None:
    """Start the stack and a city's services.

    Nothing happens where they run already. A city of a rehearsal keeps its own time, which stands still.
    """
    again = "up --stack-only" if stack_only else "up" if city == "hotline" else f"up --city {city}"
    if data is not None and (catalogue is not None or ruleset):
        fail("--data brings catalogue and rule set with it: leave --catalogue and --ruleset out.", code=2)
    own = None if catalogue is None else _own(catalogue)
    folder = None if data is None else _held(data)
    run(
        _up_stack(json=json)
        if stack_only
        else _up(
            city, own, folder, ruleset, traces_ratio, one_process=one_process, observe=observe, json=json
        ),
        interrupted=f"Stopped half way: `hotline down` ends what has started, `hotline {again}` goes on.",
    )


def _own(file: Path) -> bytes:
    """A catalogue as the city keeps it: UTF-8 without a mark, whoever saved it."""
    from shared.policy.catalogue import text_in_file

    return text_in_file(file).encode()


def _held(data: Path) -> OwnCity:
    """The folder, where it holds; else the command ends here with all that is wrong."""
    from hotline.own_city.check import checked

    found = checked(data)
    if found.findings:
        for one in found.findings:
            note(one.said(data))
        fail("Nothing was started: `hotline city check` says the same until the folder holds.")
    return found


async def _stack_up(say: Callable[[str], None], again: str) -> Addresses:
    from deploy.city.registry import anything_runs, folder
    from deploy.embedded.open_listener import listeners
    from deploy.embedded.stack import Stack
    from shared.runtime.errors import UserError

    try:
        return await Stack(folder(), listeners=listeners()).up(say)
    except UserError as error:
        hint = f"What had started runs on: `hotline {again}` goes on, `hotline down` ends it."
        raise UserError(f"{error} {hint}" if anything_runs() else str(error)) from None


async def _up_stack(*, json: bool) -> None:
    from deploy.city.registry import city_up

    addresses = await _stack_up(_say(json=json), "up --stack-only")
    city = city_up()
    if json:
        say_json(json_module.dumps(where_it_is(addresses, city)))
        return
    say(
        f"City '{city.endpoints.name}' can be looked into: `hotline show`, `hotline verify`, `hotline parked`."
    )
    print_addresses(addresses, city)


def _say(*, json: bool) -> Callable[[str], None]:
    """Progress for a person; a program reads standard output."""
    return note if json else say


async def _up(
    name: str,
    own: bytes | None,
    data: OwnCity | None,
    version: str,
    ratio: float,
    *,
    one_process: bool,
    observe: bool,
    json: bool,
) -> None:
    import time

    from deploy.city.registry import DEFAULT_CITY, city_up, folder, supervised
    from deploy.embedded.file_lock import FileLock
    from deploy.embedded.patience import told_meanwhile
    from hotline.lab.desks.city import is_lived
    from shared.policy.catalogue import catalogue

    say = _say(json=json)
    _refuse(name, own, data, version)
    began_at = time.monotonic()
    addresses = await _stack_up(say, "up" if name == DEFAULT_CITY else f"up --city {name}")
    lock = FileLock(folder() / "city.lock")
    if not lock.try_acquire():
        fail(f"Another `hotline up` is at work in {folder()}: wait for it.")
    try:
        if supervised():
            city = city_up()
            if city.endpoints.name != name:
                fail(
                    f"City '{city.endpoints.name}' is up: `hotline down` first, then `hotline up --city {name}`."
                )
            say(f"City '{name}' is up already; options are taken at the next start.")
            data = None
        else:
            await _end_orphans(folder())
            async with told_meanwhile(say, lambda: "waiting for the city's database and topics"):
                city = await _made(
                    addresses, name, own, data, version, ratio, one_process=one_process, observe=observe
                )
            await _opened(city, say)
            kind = " (its time is a rehearsal's and stands still)" if is_lived(city) else ""
            say(f"City '{name}' is open after {time.monotonic() - began_at:.1f} s{kind}.")
    finally:
        lock.release()
    if json:
        say_json(json_module.dumps(where_it_is(addresses, city)))
    else:
        known = catalogue(city.catalogue)
        _print_where(addresses, city, known)
        await print_links(city, known)
        await print_people(city, known, data.staff if data is not None else ())


async def _opened(city: City, say: Callable[[str], None]) -> None:
    """Start the city's supervisor, and wait until every process is open."""
    from deploy.city.processes import Opening, leave_running
    from deploy.city.registry import folder
    from deploy.embedded.patience import told_meanwhile

    opening = Opening(city)
    supervisor = leave_running(city, folder())
    log = folder() / "logs" / "supervisor.log"
    async with told_meanwhile(say, lambda: "waiting for the desks to open"):
        await opening.wait(
            failed=lambda: None if supervisor.poll() is None else f"The supervisor ended: {_tail(log)}"
        )


def _observed(city: City) -> City:
    """The same, read by a Prometheus from now on; without one on this machine a line says how it comes there."""
    from deploy.city.processes import observed
    from deploy.watching import laptop

    if laptop.found() is None:
        note(laptop.MISSING)
        return city
    return observed(city)


def _refuse(name: str, own: bytes | None, data: OwnCity | None, version: str) -> None:
    """End here where the city could not be opened so, before anything starts."""
    from deploy.city.registry import CITY_NAME, city_folder
    from hotline.own_city.kept import current_in, refuse_changed
    from shared.policy.catalogue import parsed
    from shared.policy.ruleset import ruleset

    if not CITY_NAME.fullmatch(name) or name in {"postgres", "template0", "template1"}:
        fail(f"--city: '{name}', expected a name like 'hotline': small letters, digits and _.", code=2)
    home = city_folder(name)
    current_in(home)
    if data is not None:
        refuse_changed(home, data)
    elif version:
        ruleset(version)
    if own is not None:
        parsed(own)


async def _end_orphans(where: Path) -> None:
    """End services that a demo left up with nobody to keep them alive: they start again under somebody."""
    import asyncio
    import signal

    from deploy.embedded import child
    from deploy.embedded.state import read_roster
    from deploy.supervision.supervisor import STOP_SECONDS_MAX

    services = read_roster(where).services.values()
    await asyncio.gather(
        *(child.stop(service, signal.SIGTERM, patience_seconds=STOP_SECONDS_MAX) for service in services)
    )


async def _made(
    addresses: Addresses,
    name: str,
    own: bytes | None,
    data: OwnCity | None,
    version: str,
    ratio: float,
    *,
    one_process: bool,
    observe: bool,
) -> City:
    """The city's database, logins and topics, made or brought up to date; now it is the current one."""
    from dataclasses import replace

    from deploy.city.making import create
    from deploy.city.processes import with_ports
    from deploy.city.registry import City, city_folder, folder, remember_city, remembered
    from deploy.embedded.open_listener import reached
    from hotline.contact_details import keep_key
    from hotline.lab.desks.city import served_in
    from hotline.own_city.kept import keep, with_kept
    from shared.policy.catalogue import catalogue

    home = city_folder(name)
    if data is not None:
        keep(home, data)
    path = _kept(home, own)
    endpoints = replace(await create(addresses, name, catalogue(path).units), reached=reached(folder()))
    if (lost := await keep_key(home, endpoints)) is not None:
        note(lost)
    before = remembered()
    city = City(
        endpoints=endpoints,
        served=await served_in(endpoints.owner_dsn),
        ruleset=RULESET,
        catalogue=path,
        traces_ratio=ratio,
        logs=str(home / "logs"),
        one_process=one_process,
        public_port=before.public_port if before is not None else 0,
        staff_port=before.staff_port if before is not None else 0,
        prometheus_port=before.prometheus_port if observe and before is not None else 0,
    )
    city = with_ports(with_kept(city, home))
    city = replace(city, ruleset=version) if version else city
    if observe:
        city = _observed(city)
    remember_city(city)
    return city


def _kept(home: Path, own: bytes | None) -> str:
    """The city's own catalogue, kept from a start at which it was given; empty where none ever was."""
    home.mkdir(parents=True, exist_ok=True)
    kept = home / "catalogue.json"
    if own is not None:
        kept.write_bytes(own)
    return str(kept) if kept.exists() else ""


def _tail(log: Path) -> str:
    from deploy.embedded.server import last_line

    return f"{last_line(log) or 'it said nothing'} (its log: {log})"


def where_it_is(addresses: Addresses, city: City) -> dict[str, str | None]:
    """The addresses a person or program needs; no password among them."""
    from deploy.city.registry import CITY_FILE, folder
    from shared.runtime.kafka_address import without_login

    return {
        "city": city.endpoints.name,
        "kafka": without_login(addresses.kafka),
        "kafka_elsewhere": without_login(city.endpoints.reached) or None,
        "topic_prefix": city.endpoints.prefix,
        "postgres": addresses.postgres.rpartition("@")[2],
        "database": city.endpoints.name,
        "logins": str(folder() / CITY_FILE),
        "http": f"http://127.0.0.1:{city.public_port}" if city.public_port else None,
        "http_staff": f"http://127.0.0.1:{city.staff_port}" if city.staff_port else None,
        "traces": f"{addresses.zipkin}/zipkin/" if addresses.zipkin else None,
        "prometheus": f"http://127.0.0.1:{city.prometheus_port}" if city.prometheus_port else None,
        "logs": city.logs,
    }


def _print_where(addresses: Addresses, city: City, catalogue: Catalogue) -> None:
    from shared.policy.catalogue import To

    print_addresses(addresses, city)
    subject = next((name for name, line in catalogue.subjects.items() if line.to is To.STREET), "")
    district, territory = next(((n, d) for n, d in catalogue.districts.items() if d.streets), ("", None))
    say("Next:")
    if subject and territory is not None:
        street, unit = next(iter(territory.streets.items()))
        say(f"  hotline call --subject {subject} --district {district} --street {street} --title 没人管")
        say(f"  hotline unit desk --unit {unit:40} be the unit that gets it")
    say(f"  hotline {'status':57} what runs, how far behind each desk is")


def print_addresses(addresses: Addresses, city: City) -> None:
    """Where everything is, for a person."""
    from deploy.city.processes import running
    from deploy.city.registry import folder
    from deploy.embedded.stack import Stack

    at = where_it_is(addresses, city)
    prefix = f", topics {at['topic_prefix']}*" if at["topic_prefix"] else ""
    elsewhere = f", from other machines {at['kafka_elsewhere']}" if at["kafka_elsewhere"] else ""
    say(f"  Kafka        {at['kafka']}{elsewhere}{prefix}")
    say(f"  PostgreSQL   {at['postgres']}, database {at['database']} (logins: {at['logins']})")
    if at["http"]:
        say(f"  HTTP         {at['http']} for systems of citizens and callers, {at['http_staff']} for staff")
    if at["traces"]:
        say(f"  traces       {at['traces']}")
    if at["prometheus"]:
        say(f"  Prometheus   {at['prometheus']}/alerts")
    doors = (city.public_port, city.staff_port, city.prometheus_port)
    metrics = {
        name: running(health.pid, doors) for name, health in Stack(folder()).services().items() if health.pid
    }
    ports = [f"{name} {known.listens}" for name, known in metrics.items() if known and known.listens]
    if ports:
        say(f"  metrics      http://127.0.0.1:PORT/metrics: {', '.join(ports)}")
    say(f"  logs         {at['logs']}")
