"""A complaint from a call to its end, at the doors of a deployed city: run inside a container of the commands.

    podman run … --entrypoint python hotline - < .ci/closes_a_call.py

It says what agent, unit and dialler say, and waits for what comes of each. The agent keeps the citizen's contact, and
reads it back. Exit code 0: the complaint is closed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Final
from uuid import uuid4

import asyncpg

from deploy.city.registry import City, city_up
from hotline.client import tell
from shared import inputs
from shared.events.base import RequestType
from shared.ids import complaint_id
from shared.log.reading import reader
from shared.policy.catalogue import To, catalogue
from shared.topics import DISPATCH_REPLIES, FEEDBACK_VISIT_RESULTS, INTAKE_REQUESTS, TELEPHONY_CALLS

SECONDS_MAX: Final = 60.0


async def said_of(city: City, complaint: str) -> list[str]:
    """The names of the facts of a complaint, in their order."""
    connection = await reader(city.endpoints.logins["reader"])
    try:
        rows = await connection.fetch(
            "SELECT type FROM es.fact WHERE stream_id = $1::text::uuid ORDER BY version", complaint
        )
    finally:
        await connection.close()
    return [row["type"] for row in rows]


async def until(city: City, complaint: str, fact: str) -> None:
    """Wait for a fact; says how long it took."""
    began = time.monotonic()
    while True:
        try:
            said = await said_of(city, complaint)
        except (OSError, asyncpg.PostgresError):
            said = []
        if fact in said:
            print(f"{fact} after {time.monotonic() - began:.2f} s", flush=True)
            return
        if time.monotonic() - began > SECONDS_MAX:
            raise SystemExit(f"no {fact} within {SECONDS_MAX:.0f} s: {said}")
        await asyncio.sleep(0.1)


async def command(*words: str) -> None:
    """Run a command as a person types it; it must succeed."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "hotline", *words)
    if await process.wait():
        raise SystemExit(f"hotline {' '.join(words)}: exit code {process.returncode}")


async def main() -> None:
    """The whole story."""
    city = city_up()
    known = catalogue(city.catalogue)
    subject = next(name for name, line in known.subjects.items() if line.to is To.STREET)
    district, territory = next((name, one) for name, one in known.districts.items() if one.streets)
    street, unit = next(iter(territory.streets.items()))
    call, request = str(uuid4()), str(uuid4())
    complaint = complaint_id(request)
    await tell(city, TELEPHONY_CALLS, call, inputs.CallOffered(call_id=call))
    await tell(city, TELEPHONY_CALLS, call, inputs.CallAnswered(call_id=call, agent="agent 1"))
    await tell(
        city,
        INTAKE_REQUESTS,
        request,
        inputs.RecordRequest(
            request_id=request, call_id=call, request_type=RequestType.COMPLAINT, subject=subject,
            district=district, street=street, title="没人管", content="楼道的灯坏了一周",
        ),
    )  # fmt: skip
    await until(city, complaint, "ComplaintDispatched")
    await command("contact", "put", complaint, "--name", "李明", "--phone", "13800138000")
    await command("contact", "show", complaint, "--agent", "agent")
    await tell(
        city, DISPATCH_REPLIES, complaint, inputs.SignOrder(complaint_id=complaint, assignment=1), unit=unit
    )
    await until(city, complaint, "OrderSigned")
    answer = inputs.AnswerOrder(complaint_id=complaint, assignment=1, result="已修好", claims_solved=True)
    await tell(city, DISPATCH_REPLIES, complaint, answer, unit=unit)
    await until(city, complaint, "VisitScheduled")
    visit = inputs.RecordVisit(complaint_id=complaint, visit=1, attempt=1, solved=True, satisfied=True)
    await tell(city, FEEDBACK_VISIT_RESULTS, complaint, visit)
    await until(city, complaint, "ComplaintClosed")
    print(f"complaint {complaint} is closed: {', '.join(await said_of(city, complaint))}")


asyncio.run(main())
