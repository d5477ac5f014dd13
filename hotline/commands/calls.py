"""`hotline calls`: what the telephone did; and what a switch recorded, into it."""

from __future__ import annotations

import json as json_module
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.commands.run import fail, run
from shared.versions import RULESET

if TYPE_CHECKING:
    from services.intake.messages import Response
    from services.intake.telephone import Figures
    from shared.ruleset import RuleSet, TelephoneRules


def calls(
    since: Annotated[
        str,
        typer.Option(
            help="From when on, such as 2026-11-27T08:00+08:00; 24 hours before --until without it."
        ),
    ] = "",
    until: Annotated[str, typer.Option(help="Until when; now without it.")] = "",
    ruleset: Annotated[str, typer.Option(help="By whose rules.")] = RULESET,
    take_in: Annotated[
        str,
        typer.Option(
            "--take-in",
            metavar="SWITCH",
            help="Read events of asterisk or freeswitch, a JSON object a line, from stdin.",
        ),
    ] = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
) -> None:
    """What the telephone did in the last 24 hours: how many came through, how soon, the worst 24 hours; messages."""
    from shared.ruleset import ruleset as rules_of

    if take_in:
        run(_take_in(take_in))
        return
    rules = rules_of(ruleset)
    begin, end, found, answered = run(_figures(_instant(since, "--since"), _instant(until, "--until"), rules))
    if json:
        told = {
            **_row(begin, end, found, rules.telephone),
            "messages": [
                {**one._asdict(), "within": one.within.total_seconds(), "rate": one.rate} for one in answered
            ],
        }
        print(json_module.dumps(told, ensure_ascii=False, indent=2))
    else:
        _print(begin, end, found, rules.telephone, rules.timezone)
        _print_messages(answered)


def _instant(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{name}: {text!r}, expected an instant such as 2026-11-27T08:00+08:00.", code=2)
    if at.tzinfo is None:
        fail(f"{name}: {text!r} has no time zone, expected one such as +08:00.", code=2)
    return at


async def _figures(
    since: datetime | None, until: datetime | None, rules: RuleSet
) -> tuple[datetime, datetime, Figures, list[Response]]:
    from hotline.speak import now_of, reader
    from hotline.where import city_up
    from services.intake.messages import responses
    from services.intake.telephone import figures
    from services.intake.views import calls as calls_of
    from services.intake.views import messages

    city = city_up()
    end = until or await now_of(city)
    begin = since or end - timedelta(hours=24)
    if begin >= end:
        fail(f"--since: {begin.isoformat()} is not before {end.isoformat()}.", code=2)
    connection = await reader(city.realm)
    try:
        every = await calls_of(connection, begin - rules.telephone.window, end)
        sent = await messages(connection, begin, end)
    finally:
        await connection.close()
    return begin, end, figures(every, begin, end, rules.telephone), responses(sent, rules.messages)


def _row(begin: datetime, end: datetime, found: Figures, rules: TelephoneRules) -> dict[str, Any]:
    low = found.lowest
    return {
        "since": begin.isoformat(),
        "until": end.isoformat(),
        **found._asdict(),
        "lowest": None if low is None else {"rate": low.rate, "at": low.at.isoformat()},
        "connection_kept": None if low is None else low.rate * 100 >= rules.connection_percent,
    }


def _print(begin: datetime, end: datetime, found: Figures, rules: TelephoneRules, timezone: str) -> None:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(timezone)
    first, last = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (begin, end))
    print(f"Calls offered from {first} to {last} ({timezone})")
    within = f"{rules.answer_within.total_seconds():.0f} s"
    rows: list[tuple[str, str]] = [
        ("offered", f"{found.offered:,}"),
        *((f"  {name.lower()}", f"{number:,}") for name, number in found.by_outcome.items()),
        *((f"  not counted, {name.lower()}", f"{number:,}") for name, number in found.excluded.items()),
        ("  still waiting", f"{found.not_over:,}"),
        ("connection rate: answered of offered", _percent(found.connection_rate)),
        (f"service level: answered within {within} of offered", _percent(found.service_level)),
        (f"timely rate: answered within {within} of answered", _percent(found.timely_rate)),
        ("abandon rate", _percent(found.abandon_rate)),
        (f"  sooner than {rules.short_abandon.total_seconds():.0f} s", f"{found.short_abandons:,}"),
        ("average wait of the answered", _seconds(found.average_wait_seconds)),
        ("average talk", _seconds(found.average_talk_seconds)),
    ]
    for name, value in rows:
        print(f"  {name:<52} {value:>10}")
    hours = rules.window.total_seconds() / 3600
    if found.lowest is None:
        print(f"In no {hours:.0f} hours on end was there a call.")
        return
    kept = found.lowest.rate * 100 >= rules.connection_percent
    print(
        f"The worst {hours:.0f} hours on end came through at {_percent(found.lowest.rate)}, at "
        f"{found.lowest.at.astimezone(zone):%Y-%m-%d %H:%M:%S}: the {rules.connection_percent} % are "
        f"{'kept' if kept else 'not kept'} (A2)."
    )


def _print_messages(answered: list[Response]) -> None:
    """A line a channel on which something came (A3)."""
    came = [one for one in answered if one.messages]
    if not came:
        print("No message came.")
        return
    print("Messages by channel: first response in time (A3)")
    for one in came:
        within = f"{one.within.total_seconds() / 60:,.0f} min"
        average = "" if one.average_seconds is None else f", on average after {one.average_seconds:,.0f} s"
        print(
            f"  {one.channel:<10} {one.messages:>7,} sent, {_percent(one.rate):>9} within {within}{average}"
        )


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate * 100:.2f} %"


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f} s"


async def _take_in(switch: str) -> None:
    """Each event from stdin onto `telephony.calls`; one that cannot be read is named and left out."""
    import msgspec
    from aiokafka import AIOKafkaProducer

    from hotline.where import city_up
    from services.intake.switches import SWITCHES, SwitchEventInvalid
    from shared import kafka_address
    from shared.cloudevents import input_headers
    from shared.topics import TELEPHONY_CALLS, partition_of

    said = SWITCHES.get(switch)
    if said is None:
        fail(f"--take-in: {switch!r}, expected one of {', '.join(SWITCHES)}.", code=2)
    city = city_up()
    decoder = msgspec.json.Decoder(dict[str, str])
    taken = wrong = 0
    async with AIOKafkaProducer(
        **kafka_address.aiokafka(city.realm.outside), acks="all", enable_idempotence=True
    ) as producer:
        for number, line in enumerate(sys.stdin.buffer, start=1):
            if not line.strip():
                continue
            try:
                told = said(decoder.decode(line))
            except (SwitchEventInvalid, msgspec.DecodeError) as error:
                wrong += 1
                print(f"line {number}: {error}", file=sys.stderr)
                continue
            for one in told:
                key = one.event_id.partition("/")[0].encode()
                await producer.send(
                    city.realm.prefix + TELEPHONY_CALLS.name,
                    msgspec.json.encode(one.data),
                    key=key,
                    partition=partition_of(key, TELEPHONY_CALLS.partitions),
                    headers=input_headers(type(one.data), f"/switch/{switch}", one.event_id, one.at),
                )
                taken += 1
        await producer.flush()
    print(f"{taken:,} events told{f', {wrong:,} lines left out' if wrong else ''}.")
    if wrong:
        raise typer.Exit(1)
