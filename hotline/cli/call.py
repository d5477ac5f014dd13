"""`hotline call`: record a request as an agent would."""

from __future__ import annotations

import json as json_module
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hotline.cli.asking import AsIs, settled
from hotline.cli.run import Json, fail, one_of, run
from hotline.cli.speaking import STOPPED, speaks
from hotline.terminal import note, say, say_json
from shared.text import folded

if TYPE_CHECKING:
    from deploy.city.registry import City
    from shared.events import Attachment, Fact
    from shared.ids import ComplaintId
    from shared.inputs import RequestRecorded
    from shared.policy.catalogue import Catalogue


Attach = Annotated[
    list[Path] | None,
    typer.Option(
        help="A picture, recording, video or paper: where it is and its SHA-256 go on record; repeatable."
    ),
]
"""Files that came with what a citizen says."""


@speaks
def call(
    title: Annotated[str, typer.Option(help="What it is about, in a few words.")],
    district: Annotated[str, typer.Option(help="The district it happened in, such as 海淀区.")],
    subject: Annotated[str, typer.Option(help="The subject; the catalogue says who answers for it.")],
    street: Annotated[str, typer.Option(help="The street or town.")] = "",
    address: Annotated[str, typer.Option(help="Where exactly.")] = "",
    content: Annotated[str, typer.Option(help="The whole matter.")] = "",
    urgency: Annotated[
        str, typer.Option(help="CRITICAL_2H, TIMELY_24H, GENERAL_7D or COMPLEX_15D.")
    ] = "GENERAL_7D",
    request_type: Annotated[
        str, typer.Option("--type", help="CONSULT, HELP, COMPLAINT, REPORT, SUGGEST or PRAISE.")
    ] = "HELP",
    request_id: Annotated[
        str, typer.Option(help="Your own number of the request; told twice it stays one complaint.")
    ] = "",
    article: Annotated[
        str,
        typer.Option(
            metavar="ID@VERSION",
            help="The article a CONSULT was answered from on the spot; then no unit gets it.",
        ),
    ] = "",
    matter_of: Annotated[
        str,
        typer.Option(
            metavar="COMPLAINT",
            help="Another citizen's complaint of the same matter: its id or the beginning of it.",
        ),
    ] = "",
    call_id: Annotated[
        str, typer.Option("--call", metavar="CALL", help="The call it came in, by the telephone system's id.")
    ] = "",
    attach: Attach = None,
    *,
    another_matter: Annotated[
        bool,
        typer.Option(
            "--another-matter", help="Not what another record of this call, subject and place is about."
        ),
    ] = False,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Nobody knows who calls.")] = False,
    confidential: Annotated[
        bool, typer.Option("--confidential", help="No unit may learn who calls.")
    ] = False,
    as_is: AsIs = False,
    json: Json = False,
) -> None:
    """Record a request as an agent would, see which unit gets it."""
    from shared.events import RequestType, Urgency

    one_of("--urgency", urgency, list(Urgency))
    one_of("--type", request_type, list(RequestType))
    fields: dict[str, Any] = {
        "title": title,
        "district": district,
        "subject": subject,
        "street": street or None,
        "address": address,
        "content": content,
        "urgency": Urgency(urgency),
        "request_type": RequestType(request_type),
        "anonymous": anonymous,
        "confidential": confidential,
        "attachments": attachments(attach or []),
        "call_id": call_id or None,
        "another_matter": another_matter,
    }
    if article:
        from hotline.cli.knowledge import named_version

        fields["article_id"], fields["article_version"] = named_version(article)
        if request_type != RequestType.CONSULT:
            fail(
                f"--article: only a CONSULT is answered from an article, this is a {request_type} (B2).",
                code=2,
            )
    from hotline.client import short
    from shared.times import shown as shown_at

    found = run(_call(request_id, fields, matter_of, as_is=as_is), interrupted=STOPPED)
    if json:
        say_json(json_module.dumps(found, ensure_ascii=False))
        return
    if "article" in found:
        say(
            f"Complaint {found['complaint_id']} is answered from article {found['article']}; no unit gets it."
        )
        say(f"Next: `hotline show {short(str(found['complaint_id']))}`.")
        return
    say(f"Complaint {found['complaint_id']} lies with {found['unit']} ({found['name']}).")
    say(f"  {'by':<11}{found['rule']}{' (' + found['fallback'] + ')' if found['fallback'] else ''}")
    for what in ("sign", "answer"):
        if (by := found[f"{what}_by"]) is not None:
            say(f"  {what + ' by':<11}{shown_at(datetime.fromisoformat(by))}")
    shown = short(str(found["complaint_id"]))
    say(f"Next: `hotline unit desk --unit {found['unit']}` to answer it, `hotline show {shown}`.")


def attachments(paths: list[Path]) -> tuple[Attachment, ...]:
    """What goes on record of these files; they stay where they are. Ends the command where one is none."""
    import mimetypes
    from hashlib import sha256

    import msgspec

    from shared.events import Attachment

    found: list[Attachment] = []
    for path in paths:
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        try:
            fields = {
                "uri": path.resolve().as_uri(),
                "media_type": media_type,
                "sha256": sha256(path.read_bytes()).hexdigest(),
            }
            found.append(msgspec.convert(fields, Attachment))
        except (OSError, msgspec.ValidationError) as error:
            fail(f"--attach: {path}: {error}", code=2)
    return tuple(found)


async def _call(
    request_id: str, fields: dict[str, Any], matter_of: str, *, as_is: bool
) -> dict[str, str | None]:
    """Record it; what it names is looked at before, and what goes wrong after it is told as that."""
    from uuid import uuid4

    from deploy.city.registry import city_up
    from hotline.client import effect, on_record, tell
    from hotline.lab.desks.city import is_lived
    from hotline.lookup import complaint_named
    from shared.ids import complaint_id
    from shared.inputs import RequestRecorded
    from shared.policy.catalogue import catalogue
    from shared.topics import INTAKE_REQUESTS

    city = city_up()
    if is_lived(city):
        note(
            f"note: the time of city {city.realm.name!r} stands still, but for a rehearsal that lives in it: "
            f"no limit passes"
        )
    known = catalogue(city.catalogue)
    if matter_of:
        fields["matter_of_complaint"] = (await complaint_named(city, matter_of)).complaint_id
    if "article_id" in fields:
        await _holds(city, fields["article_id"], fields["article_version"])
    fields |= settled(known, fields["subject"], fields["district"], fields["street"], as_is=as_is)
    request_id = request_id or f"call-{uuid4()}"
    complaint = complaint_id(request_id)
    data = RequestRecorded(request_id=request_id, recorded_by="hotline call", **fields)
    told = await tell(city, INTAKE_REQUESTS, request_id, data)
    _said_at_once(await effect(city, complaint, told), complaint)
    with on_record(complaint):
        return await _became(city, known, complaint, data)


def _said_at_once(said: list[Fact], complaint: ComplaintId) -> None:
    """Tell what intake refused of it; ends the command where it goes no further."""
    from hotline.casefile import refusals
    from shared.complaint import ANSWER, LINK
    from shared.events import ComplaintTurnedAway, IntakeRefused, TurnedAway

    for fact in said:
        if isinstance(fact, IntakeRefused) and fact.asked == ANSWER:
            note(f"note: {fact.reason}; a unit gets it")
        elif isinstance(fact, IntakeRefused) and fact.asked == LINK:
            note(f"note: on record, but not with that other complaint: {fact.reason}")
        elif isinstance(fact, IntakeRefused):
            fail(refusals.answer(fact))
        if isinstance(fact, ComplaintTurnedAway) and fact.how is TurnedAway.RECORDED_TWICE:
            fail(
                f"Recorded already: {fact.reason}. It is on record as {complaint} and ended. Where it is another "
                f"matter, record it with --another-matter."
            )


async def _became(
    city: City, known: Catalogue, complaint: ComplaintId, data: RequestRecorded
) -> dict[str, str | None]:
    """What became of a request that is on record."""
    from shared.ids import ComplaintId

    if data.matter_of_complaint is not None:
        await _tell_of_another(city, ComplaintId(data.matter_of_complaint), complaint)
    if data.article_id is not None and await _answered(city, complaint):
        return {
            "complaint_id": complaint,
            "request_id": data.request_id,
            "article": f"{data.article_id}@{data.article_version}",
        }
    order = await _dispatched(city.realm.logins["reader"], complaint)
    return {
        "complaint_id": complaint,
        "request_id": data.request_id,
        "unit": order.unit,
        "name": known.units[order.unit].name,
        "rule": order.rule,
        "fallback": _fallback(known, data.subject, order.rule),
        "sign_by": _local(order.sign_due_at, city),
        "answer_by": _local(order.unit_due_at if order.round > 1 else order.citizen_due_at, city),
    }


async def _holds(city: City, article_id: str, version: int) -> None:
    """Ends the command where nobody can answer from this version now; an empty base checks nothing (B2)."""
    from hotline.client import now_of
    from services.intake.knowledge import Valid, unusable
    from services.intake.knowledge_base import listed
    from shared.log.reading import reader
    from shared.times import zone_of

    connection = await reader(city.realm.logins["reader"])
    try:
        every = await listed(connection)
    finally:
        await connection.close()
    known = {(one.id, one.version): Valid(one.valid_from, one.withdrawn_at) for one in every}
    why = unusable(article_id, version, await now_of(city), known, zone_of(city.ruleset))
    if why is not None:
        fail(f"Not sent: --article: {why}. Without it a unit gets the complaint.", code=2)


async def _answered(city: City, complaint: str) -> bool:
    """Whether its life ended on the spot."""
    from hotline.client import facts_of
    from shared.events import ComplaintAnsweredDirectly
    from shared.log.reading import reader

    connection = await reader(city.realm.logins["reader"])
    try:
        facts = await facts_of(connection, complaint)
    finally:
        await connection.close()
    return any(isinstance(fact, ComplaintAnsweredDirectly) for fact in facts)


async def _tell_of_another(city: City, first: ComplaintId, own: ComplaintId) -> None:
    """The complaint that was first learns that one more citizen has the same matter (R11)."""
    from hotline.client import effect, tell
    from shared.events import IntakeRefused
    from shared.inputs import RequestRepeated
    from shared.runtime.errors import UserError
    from shared.topics import INTAKE_REQUESTS

    again = RequestRepeated(
        complaint_id=first, repeat_complaint=own, another_citizen=True, recorded_by="hotline call"
    )
    try:
        said = await effect(city, first, await tell(city, INTAKE_REQUESTS, first, again))
    except UserError as error:
        note(f"note: whether the first complaint of this matter was told is not known: {error}")
        return
    for fact in said:
        if isinstance(fact, IntakeRefused):
            note(f"note: the first complaint of this matter was not told: {fact.reason}")


def _fallback(known: Catalogue, subject: str, rule: str) -> str | None:
    """Why the order went to the district's government or the hotline's own desk where no rule sends it there."""
    from shared.policy.catalogue import To

    line = known.subjects.get(folded(subject))
    if rule.endswith("→centre"):
        return "no rule of the catalogue names it, nor its district: the hotline's own desk"
    if not rule.endswith("→district") or (line is not None and line.to is To.DISTRICT):
        return None
    if line is None:
        return "no rule of the catalogue names it: the district government"
    return "the catalogue knows no such street there: the district government"


async def _dispatched(dsn: str, complaint: str) -> Any:
    """The latest order of a complaint; waits for it."""
    import asyncio
    import time

    import asyncpg

    from deploy.city.registry import typed
    from hotline.client import EFFECT_SECONDS_MAX, facts_of
    from shared.events import ComplaintDispatched
    from shared.runtime.errors import UserError

    connection = await asyncpg.connect(dsn)
    give_up_at = time.monotonic() + EFFECT_SECONDS_MAX
    try:
        while time.monotonic() < give_up_at:
            orders = [f for f in await facts_of(connection, complaint) if isinstance(f, ComplaintDispatched)]
            if orders:
                return orders[-1]
            await asyncio.sleep(0.03)
    finally:
        await connection.close()
    raise UserError(f"It is not dispatched yet: see {typed('status')}.")


def _local(at: datetime | None, city: City) -> str | None:
    """RFC 3339 with the offset of the city."""
    from shared.times import zone_of

    return None if at is None else at.astimezone(zone_of(city.ruleset)).isoformat(timespec="seconds")
