"""A sender over HTTP: it sends each event again until the door has acknowledged it, whatever dies meanwhile.

It notes what was acknowledged; like everybody else's inputs that must be found at the end, and once.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx2
import msgspec

from deploy.city.endpoints import CityEndpoints
from deploy.city.kafka_rights import Login
from hotline.lab.acknowledged import Acknowledged
from hotline.web import keys
from hotline.web.paths import EVENTS
from hotline.web.roles import SCOPES_OF
from shared import roles
from shared.inputs import CallEnded
from shared.log.acts import acting
from shared.structured import CONTENT_TYPE
from shared.topics import TELEPHONY_CALLS

SENDERS: Final = 4
"""So many at once: whenever the door is killed, events of it are at every point between request and answer."""
PAUSE_SECONDS: Final = 0.2
AGAIN_SECONDS: Final = 0.1
ANSWER_SECONDS_MAX: Final = 30.0
RATE: Final = 10_000
_LOGIN: Final = Login(roles.TELEPHONY, "")
_SOURCE: Final = keys.usual_source(_LOGIN)


class HttpSender:
    """See the module. `open` makes its key."""

    def __init__(self, endpoints: CityEndpoints, log: Path) -> None:
        """`log`: what the door says of itself."""
        self._endpoints = endpoints
        self._log = log
        self._key = ""
        self._began_at = datetime.min.replace(tzinfo=UTC)
        self._calls = 0
        self.acknowledged: list[Acknowledged] = []
        self.again = 0
        """How often something was sent again that nobody had acknowledged."""

    async def open(self, began_at: datetime) -> None:
        """Make a key of telephony. The calls come from `began_at` on, an instant of the city's own time."""
        self._began_at = began_at
        async with acting(self._endpoints.login("operator")) as operator:
            made = await keys.add(
                operator, _LOGIN, SCOPES_OF[roles.TELEPHONY], [_SOURCE], RATE, "a sender under fire"
            )
        self._key = made.typed

    async def send(self) -> None:
        """Send calls without an end."""
        async with (
            httpx2.AsyncClient(
                headers={"Authorization": f"Bearer {self._key}", "Content-Type": CONTENT_TYPE},
                timeout=ANSWER_SECONDS_MAX,
                trust_env=False,
            ) as client,
            asyncio.TaskGroup() as senders,
        ):
            for _ in range(SENDERS):
                senders.create_task(self._calls_of(client))

    async def _calls_of(self, client: httpx2.AsyncClient) -> None:
        while True:
            self._calls += 1
            number = self._calls
            call_id = f"chaos-http-{number}"
            told = {
                "specversion": "1.0",
                "type": CallEnded.TYPE,
                "source": _SOURCE,
                "id": f"{call_id}-ended",
                "time": (self._began_at + timedelta(seconds=number)).isoformat(),
                "data": {"call_id": call_id, "cause": "hangup"},
            }
            body = msgspec.json.encode(told)
            while not await self._taken(client, body):
                self.again += 1
                await asyncio.sleep(AGAIN_SECONDS)
            self.acknowledged.append(
                Acknowledged(
                    CallEnded.TYPE,
                    TELEPHONY_CALLS.name,
                    _SOURCE,
                    f"{call_id}-ended",
                    call_id,
                    TELEPHONY_CALLS.hearers,
                )
            )
            await asyncio.sleep(PAUSE_SECONDS)

    async def _taken(self, client: httpx2.AsyncClient, body: bytes) -> bool:
        address = await asyncio.to_thread(self._address)
        if not address:
            return False
        with suppress(httpx2.TransportError):
            answer = await client.post(f"http://{address}{EVENTS}", content=body)
            return answer.status_code == httpx2.codes.ACCEPTED
        return False

    def _address(self) -> str:
        """Where the door answers now, as it said last: a new process may have another port."""
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        said = [line for line in lines if '"doors_open"' in line]
        return str(json.loads(said[-1])["public"]) if said else ""
