"""`hotline call`: record a request as an agent would."""

from __future__ import annotations

import json as json_module
from typing import Annotated, Any

import typer

from hotline.commands.run import fail, run


def call(
    title: Annotated[str, typer.Option(help="What it is about, in a few words.")],
    district: Annotated[str, typer.Option(help="The district it happened in, such as 海淀区.")],
    subject: Annotated[str, typer.Option(help="The subject, such as 供水; the catalogue says who answers.")],
    street: Annotated[str, typer.Option(help="The street or town.")] = "",
    address: Annotated[str, typer.Option(help="Where exactly.")] = "",
    content: Annotated[str, typer.Option(help="The whole matter.")] = "",
    urgency: Annotated[
        str, typer.Option(help="CRITICAL_2H, TIMELY_24H, GENERAL_7D or COMPLEX_15D.")
    ] = "GENERAL_7D",
    *,
    json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
) -> None:
    """Record a request as an agent would, and see which unit gets it."""
    from shared.events import Urgency

    if urgency not in Urgency.__members__:
        fail(f"--urgency: {urgency!r}, expected one of {', '.join(Urgency)}.")
    fields = {
        "title": title,
        "district": district,
        "subject": subject,
        "street": street or None,
        "address": address,
        "content": content,
        "urgency": Urgency(urgency),
    }
    found = run(_call(fields))
    if json:
        print(json_module.dumps(found))
    else:
        print(f"complaint {found['complaint_id']} lies with {found['unit']} ({found['name']})")
        print(
            f"Next: `hotline unit {found['unit']}` to answer it, `hotline show {found['complaint_id'][:8]}`."
        )


async def _call(fields: dict[str, Any]) -> dict[str, str]:
    import asyncio
    import time
    from uuid import uuid4

    import asyncpg

    from hotline.speak import EFFECT_SECONDS_MAX, effect, tell
    from hotline.stack.errors import StackError
    from hotline.where import city_up
    from shared.catalogue import catalogue
    from shared.complaint import head_of
    from shared.events import RequestType
    from shared.ids import complaint_id
    from shared.inputs import RequestRecorded
    from shared.topics import INTAKE_REQUESTS

    city = city_up()
    request_id = f"call-{uuid4()}"
    complaint = complaint_id(request_id)
    data = RequestRecorded(request_id=request_id, request_type=RequestType.HELP, **fields)
    identity = await tell(city.realm, INTAKE_REQUESTS, request_id, data)
    await effect(city.realm, complaint, identity)
    connection = await asyncpg.connect(city.realm.logins["reader"])
    give_up_at = time.monotonic() + EFFECT_SECONDS_MAX
    try:
        while time.monotonic() < give_up_at:
            state = await connection.fetchval("SELECT state FROM es.stream WHERE stream_id = $1", complaint)
            order = head_of(state).order
            if order is not None:
                name = catalogue(city.catalogue).units[order.unit].name
                return {"complaint_id": complaint, "unit": order.unit, "name": name}
            await asyncio.sleep(0.02)
    finally:
        await connection.close()
    raise StackError(f"Complaint {complaint} is recorded but was not dispatched yet: see `hotline status`.")
