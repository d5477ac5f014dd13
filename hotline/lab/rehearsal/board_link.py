"""A link to the board of a city in rehearsal: whoever opens it is signed in as an operator of the demo."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import quote

from deploy.city.endpoints import CityEndpoints
from deploy.city.kafka_rights import Login
from deploy.city.registry import remembered
from hotline.web.pages import staff
from hotline.web.pages.gate import sign_in_path
from shared import roles
from shared.log.acts import acting
from shared.runtime.errors import UserError

NAME: Final = "演示"
"""The person of the demo, as the pages show it."""
OPEN_SECONDS_MAX: Final = 60.0
POLL_SECONDS: Final = 0.1
_THEN: Final = f"&then={quote('/board?shading=load', safe='')}"
"""By load: in the first minutes of a day nothing is late yet."""


class BoardLink(NamedTuple):
    """A link that signs in once, and for whom."""

    link: str
    staff_id: str

    async def again(self, endpoints: CityEndpoints) -> str:
        """A new one for the same person: a link is used up by whoever opens it."""
        async with acting(endpoints.login("operator")) as operator:
            return _address(await staff.new_link(operator, self.staff_id))


async def board_of(endpoints: CityEndpoints) -> BoardLink:
    """A link to the board, once it answers; `UserError` where it does not."""
    await _answers()
    async with acting(endpoints.login("operator")) as operator:
        staff_id, secret = await staff.add(operator, NAME, Login(roles.SUPERVISION, ""))
    return BoardLink(_address(secret), staff_id)


def _port() -> int:
    city = remembered()
    assert city is not None  # noqa: S101 -- it was just made
    return city.staff_port


def _address(secret: str) -> str:
    return f"http://127.0.0.1:{_port()}{sign_in_path(secret)}{_THEN}"


async def _answers() -> None:
    give_up_at = time.monotonic() + OPEN_SECONDS_MAX
    while time.monotonic() < give_up_at:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", _port())
            writer.close()
            return
        await asyncio.sleep(POLL_SECONDS)
    raise UserError(f"The pages do not answer after {OPEN_SECONDS_MAX:.0f} s: `hotline status` shows why.")
