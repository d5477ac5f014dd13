"""`hotline call`: record a request as an agent would."""

from __future__ import annotations

import json as json_module
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from hotline.cli.asking import AsIs, settled
from hotline.cli.grouped import grouped
from hotline.cli.run import Json, demand_words, fail, one_of, run
from hotline.cli.speaking import STOPPED, speaks
from hotline.parsing import CHANNELS
from hotline.terminal import note, say, say_json
from shared.text import folded_code

Attach = Annotated[
    list[Path] | None,
    typer.Option(
        help="A picture, recording, video or paper: where it is and its SHA-256 go on record; repeatable."
    ),
]
"""Files that came with what a citizen says."""


@dataclass(frozen=True, kw_only=True)
class Happening:
    """The matter of the request, and the place where it happened."""

    title: Annotated[str, typer.Option(help="The matter, in a few words.")]
    district: Annotated[str, typer.Option(help="The district it happened in, such as 海淀区.")]
    subject: Annotated[str, typer.Option(help="The subject; the catalogue says who answers for it.")]
    street: Annotated[str, typer.Option(help="The street or town.")] = ""
    address: Annotated[str, typer.Option(help="Where exactly.")] = ""
    content: Annotated[str, typer.Option(help="The whole matter.")] = ""
    urgency: Annotated[
        str,
        typer.Option(
            help="CRITICAL_2H, TIMELY_24H, GENERAL_7D or COMPLEX_15D; without it the rule set's for the subject."
        ),
    ] = ""
    request_type: Annotated[
        str, typer.Option("--type", help="CONSULT, HELP, COMPLAINT, REPORT, SUGGEST or PRAISE.")
    ] = "HELP"


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """The options told with a request: its number, its call, the matter it belongs to."""

    request_id: Annotated[
        str, typer.Option(help="Your own number of the request; told twice it stays one complaint.")
    ] = ""
    article: Annotated[
        str,
        typer.Option(
            metavar="ID@VERSION",
            help="The article a CONSULT was answered from on the spot; then no unit gets it.",
        ),
    ] = ""
    matter_of: Annotated[
        str,
        typer.Option(
            metavar="COMPLAINT",
            help="Another citizen's complaint of the same matter: its number, its id or the beginning of it.",
        ),
    ] = ""
    call_id: Annotated[
        str, typer.Option("--call", metavar="CALL", help="The call it came in, by the telephone system's id.")
    ] = ""
    attach: Attach = None
    another_matter: Annotated[
        bool,
        typer.Option(
            "--another-matter", help="Not what another record of this call, subject and place is about."
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The person who records it, and by which channel it came."""

    channel: Annotated[str, typer.Option(help=f"One of {', '.join(CHANNELS)}.")] = "phone"
    agent: Annotated[str, typer.Option("--as", help="The agent that records it.")] = "agent"


@dataclass(frozen=True, kw_only=True)
class TurningAway:
    """A request that becomes no work order: where the citizen is sent, or why it is not accepted."""

    turn_away: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="110, 119, 120 or 122: handed to that service; redirected: pointed elsewhere; rejected: not accepted.",
        ),
    ] = ""
    to: Annotated[str, typer.Option(help="Where the citizen is pointed to, such as 法院.")] = ""
    reason: Annotated[str, typer.Option(help="Why it is turned away; needed where it is not accepted.")] = ""


@speaks
@grouped
def call(
    matter: Happening,
    recording: Recording,
    beside: Circumstances,
    away: TurningAway,
    *,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Nobody knows who calls.")] = False,
    confidential: Annotated[
        bool, typer.Option("--confidential", help="No unit may learn who calls.")
    ] = False,
    as_is: AsIs = False,
    json: Json = False,
) -> None:
    """Record a request as an agent would, see which unit gets it."""
    from shared.events import RequestType, Urgency

    if matter.urgency:
        one_of("--urgency", matter.urgency, list(Urgency))
    one_of("--type", matter.request_type, list(RequestType))
    one_of("--channel", recording.channel, CHANNELS)
    demand_words("--as", recording.agent)
    fields = _fields(matter, beside) | {"anonymous": anonymous, "confidential": confidential}
    fields |= {"channel": recording.channel, "recorded_by": recording.agent}
    found = run(_call(fields, beside.matter_of, away, as_is=as_is), interrupted=STOPPED)
    if json:
        say_json(json_module.dumps(found, ensure_ascii=False))
    else:
        _print(found)


def _fields(matter: Happening, beside: Circumstances) -> dict[str, Any]:
    """The content of the request, as far as no city need be asked."""
    from hotline.recording import attachments
    from shared.events import RequestType, Urgency

    fields: dict[str, Any] = {
        "request_id": beside.request_id or f"call-{uuid4()}",
        "title": matter.title,
        "district": matter.district,
        "subject": matter.subject,
        "street": matter.street or None,
        "address": matter.address,
        "content": matter.content,
        "urgency": Urgency(matter.urgency) if matter.urgency else None,
        "request_type": RequestType(matter.request_type),
        "attachments": attachments(beside.attach or []),
        "call_id": beside.call_id or None,
        "another_matter": beside.another_matter,
    }
    if beside.article:
        from hotline.cli.knowledge import named_version

        fields["article_id"], fields["article_version"] = named_version(beside.article)
        if matter.request_type != RequestType.CONSULT:
            fail(
                f"--article: only a CONSULT is answered from an article, this is a {matter.request_type} (B2).",
                code=2,
            )
    return fields


def _turned_away(away: TurningAway, services: Collection[str], *, answered: bool) -> dict[str, Any]:
    """The fields of a request that is turned away; none where it is not. Ends where it is said wrongly."""
    from shared.events import TurnedAway

    how = folded_code(away.turn_away)
    if not how:
        if away.to or away.reason:
            fail("--to, --reason: only with --turn-away.", code=2)
        return {}
    if answered:
        fail("--turn-away, --article: one of them.", code=2)
    one_of("--turn-away", how, (*services, "redirected", "rejected"))
    if how in services:
        if away.to:
            fail(f"--to: it goes to {how}.", code=2)
        how, to = "emergency", how
    else:
        to = away.to
    if how == "redirected":
        demand_words("--to", to)
    if how == "rejected":
        demand_words("--reason", away.reason)
    return {
        "turned_away": TurnedAway(how.upper()),
        "turned_away_to": to,
        "turned_away_reason": away.reason,
    }


async def _call(
    fields: dict[str, Any], matter_of: str, away: TurningAway, *, as_is: bool
) -> dict[str, str | None]:
    """Record it; what it names is looked at before, and what goes wrong after it is told as that."""
    from deploy.city.registry import city_up
    from hotline.lab.desks.city import is_lived
    from hotline.lookup import complaint_named
    from hotline.recording import holds, record
    from shared.inputs import RecordRequest
    from shared.policy.catalogue import catalogue
    from shared.policy.ruleset import ruleset
    from shared.text import quoted

    city = city_up()
    rules = ruleset(city.ruleset)
    fields |= _turned_away(away, rules.emergency_services, answered="article_id" in fields)
    if is_lived(city):
        note(
            f"note: the time of city {quoted(city.endpoints.name)} stands still, but for a rehearsal that lives in it: "
            f"no limit passes"
        )
    if matter_of:
        fields["matter_of_complaint"] = (await complaint_named(city, matter_of)).complaint_id
    if "article_id" in fields:
        await holds(city, fields["article_id"], fields["article_version"])
    place = fields["subject"], fields["district"], fields["street"]
    fields |= settled(catalogue(city.catalogue), *place, as_is=as_is)
    if fields["urgency"] is None:
        fields["urgency"] = rules.class_for(fields["subject"])
    found = await record(city, RecordRequest(**fields), note)
    return {**found, "urgency": fields["urgency"]}


def _print(found: dict[str, str | None]) -> None:
    from shared.times import shown as shown_at

    shown = found["complaint_number"]
    if "article" in found:
        say(f"Complaint {shown} is answered from article {found['article']}; no unit gets it.")
        say(f"Next: `hotline show {shown}`.")
        return
    if "turned_away" in found:
        to = f" to {found['to']}" if found["to"] else ""
        say(f"Complaint {shown} is turned away{to} ({found['turned_away']}); no unit gets it.")
        say(f"Next: `hotline show {shown}`.")
        return
    say(f"Complaint {shown} lies with {found['unit']} ({found['name']}).")
    say(f"  {'by':<11}{found['rule']}{' (' + found['fallback'] + ')' if found['fallback'] else ''}")
    say(f"  {'class':<11}{found['urgency']}")
    for what in ("sign", "answer"):
        if (by := found[f"{what}_by"]) is not None:
            say(f"  {what + ' by':<11}{shown_at(datetime.fromisoformat(by))}")
    say(f"Next: `hotline unit desk --unit {found['unit']}` to answer it, `hotline show {shown}`.")
