"""`hotline calls`: what the telephone did; and what a switch recorded, into it."""

from __future__ import annotations

import json as json_module
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from hotline.cli.arguments import instant
from hotline.cli.run import Json, answer, fail, one_of, run, stdin_lines
from hotline.cli.unread import none_unread, tell_unread
from hotline.terminal import note, say, say_json
from shared.text import folded_code
from shared.versions import RULESET

if TYPE_CHECKING:
    from hotline.readside.standing import AsOf
    from services.intake.call_statistics import Figures
    from services.intake.response_times import Response
    from shared.policy.ruleset import RuleSet, TelephoneRules
    from shared.unreadable import UnreadableRows


calls = typer.Typer(
    help="Show the figures of the telephone; take in the events of a switch.", rich_markup_mode=None
)


@calls.callback(invoke_without_command=True)
def period(
    context: typer.Context,
    since: Annotated[
        str,
        typer.Option(
            help="From when on, such as 2026-11-27 or 2026-11-27T08:00; 24 hours before --until without it."
        ),
    ] = "",
    until: Annotated[str, typer.Option(help="Until when; now without it.")] = "",
    ruleset: Annotated[str, typer.Option(help="By whose rules.")] = RULESET,
    *,
    json: Json = False,
) -> None:
    """Show how many calls came through and how soon, the worst 24 hours on end, and the responses to messages."""
    if context.invoked_subcommand is not None:
        return
    from shared.policy.ruleset import ruleset as rules_of

    rules = rules_of(ruleset)
    zone = ZoneInfo(rules.timezone)
    first, last = (
        instant(text, name, zone, "an instant or a day") if text else None
        for text, name in ((since, "--since"), (until, "--until"))
    )
    unread = none_unread()
    begin, end, found, answered, as_of = run(_figures(first, last, rules, unread))
    if json:
        told = {
            **_row(begin, end, found, rules.telephone),
            "as_of_position": as_of.position,
            "messages": [
                {**one._asdict(), "within": one.within.total_seconds(), "rate": one.rate} for one in answered
            ],
        }
        say_json(json_module.dumps(told, ensure_ascii=False, indent=2))
    else:
        _print(begin, end, found, rules.telephone, rules.timezone)
        _print_messages(answered)
        say(as_of.line())
    tell_unread(unread, json=json)


@calls.command("take-in")
def take_in(
    switch: Annotated[str, typer.Argument(metavar="SWITCH", help="Its make: asterisk or freeswitch.")],
    *,
    json: Json = False,
) -> None:
    """Take in what a switch recorded: its events from standard input, one JSON object a line."""
    from hotline.client import may_speak
    from shared.roles import TELEPHONY

    with may_speak(TELEPHONY):
        taken, wrong = run(_take_in(switch))
    answer(
        f"{taken:,} events told{f', {wrong:,} lines left out' if wrong else ''}.",
        json=json,
        taken=taken,
        left_out=wrong,
    )
    if wrong:
        raise typer.Exit(1)


async def _figures(
    since: datetime | None, until: datetime | None, rules: RuleSet, unread: UnreadableRows
) -> tuple[datetime, datetime, Figures, list[Response], AsOf]:
    from deploy.city.registry import city_up
    from hotline.client import present
    from hotline.readside.standing import caught_up
    from hotline.readside.telephone import figures, note_unread_calls, responses
    from shared.log.postgres import SETTINGS
    from shared.log.reading import reader
    from shared.times import shown

    city = city_up()
    connection = await reader(city.endpoints.logins["reader"], SETTINGS)
    try:
        end = until or await present(connection)
        begin = since or end - timedelta(hours=24)
        if begin >= end:
            told = [shown(at, ZoneInfo(rules.timezone)) for at in (begin, end)]
            fail(f"--since: {told[0]} is not before {told[1]}.", code=2)
        as_of = await caught_up(connection)
        found = await figures(connection, begin, end, rules.telephone)
        sent = await responses(connection, begin, end, rules.messages)
        await note_unread_calls(connection, unread)
    finally:
        await connection.close()
    return begin, end, found, sent, as_of


def _row(begin: datetime, end: datetime, found: Figures, rules: TelephoneRules) -> dict[str, Any]:
    low = found.lowest
    return {
        "since": begin.isoformat(),
        "until": end.isoformat(),
        **found._asdict(),
        "lowest": None
        if low is None
        else {
            "rate": low.rate,
            "at": low.at.isoformat(),
            "answered": low.answered,
            "offered": low.offered,
        },
        "connection_kept": None if low is None else low.rate * 100 >= rules.connection_percent,
    }


def _print(begin: datetime, end: datetime, found: Figures, rules: TelephoneRules, timezone: str) -> None:
    from shared.times import shown

    zone = ZoneInfo(timezone)
    first, last = (shown(at, zone) for at in (begin, end))
    say(f"Calls offered from {first} to {last} ({timezone})")
    for name, value in _lines(found, rules):
        say(f"  {name:<52} {value:>10}")
    hours = rules.window.total_seconds() / 3600
    if found.lowest is None:
        say(f"In no {hours:.0f} hours on end were there {rules.window_calls_min} calls: none is the worst.")
        return
    kept = found.lowest.rate * 100 >= rules.connection_percent
    say(
        f"The worst {hours:.0f} hours on end came through at {_percent(found.lowest.rate)} "
        f"({found.lowest.answered:,} of {found.lowest.offered:,} calls), at "
        f"{shown(found.lowest.at, zone, seconds=True)}: the {rules.connection_percent} % are "
        f"{'kept' if kept else 'not kept'} (A2)."
    )


def _lines(found: Figures, rules: TelephoneRules) -> list[tuple[str, str]]:
    """Each figure with what it counts; what is rarely other than nothing, only where it is."""
    within = f"{rules.answer_within.total_seconds():.0f} s"
    waits, talks = found.answered - found.wait_unknown, found.answered - found.talk_unknown
    return [
        ("offered, and over or answered", f"{found.offered:,}"),
        *((f"  {name.lower()}", f"{number:,}") for name, number in found.by_outcome.items()),
        *_where(found.wait_unknown, "  answered, how soon is not known"),
        *((f"  not counted, {name.lower()}", f"{number:,}") for name, number in found.excluded.items()),
        *_where(sum(found.never_offered.values()), "  not counted, ended and never offered"),
        ("  not counted yet, still waiting", f"{found.not_over:,}"),
        ("connection rate: answered of offered", _percent(found.connection_rate)),
        (f"service level: answered within {within} of offered", _percent(found.service_level)),
        (f"timely rate: answered within {within} of answered", _percent(found.timely_rate)),
        ("abandon rate: abandoned of offered", _percent(found.abandon_rate)),
        (f"  abandoned sooner than {rules.short_abandon.total_seconds():.0f} s", f"{found.short_abandons:,}"),
        (f"average wait of {waits:,} answered", _seconds(found.average_wait_seconds)),
        (f"average talk of {talks:,} that are over", _seconds(found.average_talk_seconds)),
    ]


def _where(number: int, name: str) -> list[tuple[str, str]]:
    return [(name, f"{number:,}")] if number else []


def _print_messages(answered: list[Response]) -> None:
    """A line a channel on which something came (A3)."""
    came = [one for one in answered if one.messages]
    if not came:
        say("No message came.")
        return
    say("Messages by channel: first response in time (A3)")
    for one in came:
        within = f"{one.within.total_seconds() / 60:,.0f} min"
        average = "" if one.average_seconds is None else f", on average after {one.average_seconds:,.0f} s"
        say(f"  {one.channel:<10} {one.messages:>7,} sent, {_percent(one.rate):>9} within {within}{average}")


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate * 100:.2f} %"


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f} s"


async def _take_in(switch: str) -> tuple[int, int]:
    """Each event from stdin onto `telephony.calls`; one that cannot be read is named and left out. How many of both."""
    import msgspec
    from aiokafka import AIOKafkaProducer

    from deploy.city.registry import city_up
    from hotline.cli.switch_lines import event_of, lines_in
    from hotline.client import now_of
    from services.intake.pbx import SWITCHES
    from services.intake.pbx.event import SwitchEventInvalid
    from shared.cloudevents import input_headers
    from shared.plausible import between
    from shared.runtime import kafka_address
    from shared.runtime.clock import ClockAt
    from shared.runtime.errors import BadInput
    from shared.text_file import FileUnreadable
    from shared.topic_names import partition_of
    from shared.topics import TELEPHONY_CALLS
    from shared.wording import TextInvalid, looked_at

    said = SWITCHES[one_of("SWITCH", folded_code(switch), SWITCHES)]
    city = city_up()
    now = await now_of(city)
    clock = ClockAt(now)
    taken = wrong = 0
    async with AIOKafkaProducer(
        **kafka_address.aiokafka(city.endpoints.commands_of(TELEPHONY_CALLS.speaker)),
        acks="all",
        enable_idempotence=True,
    ) as producer:
        for number, line in enumerate(lines_in(stdin_lines()), start=1):
            if not line.strip():
                continue
            try:
                told = said(event_of(line, number))
                for one in told:
                    between("time", one.at, clock.earliest_input(now), clock.latest_input(now))
                    looked_at(one.data)
            except FileUnreadable as error:
                wrong += 1
                note(str(error))
            except (SwitchEventInvalid, BadInput, TextInvalid) as error:
                wrong += 1
                note(f"line {number}: {error}")
                continue
            for one in told:
                key = one.data.call_id.encode()
                await producer.send(
                    city.endpoints.prefix + TELEPHONY_CALLS.name,
                    msgspec.json.encode(one.data),
                    key=key,
                    partition=partition_of(key, TELEPHONY_CALLS.partitions),
                    headers=input_headers(type(one.data), f"/switch/{switch}", one.event_id, one.at),
                )
                taken += 1
        await producer.flush()
    return taken, wrong
