"""Every page by every role, and at the public listener; the table of pages makes the cases."""

from __future__ import annotations

import re
from typing import Final

import httpx2
import pytest

from hotline.web.pages.gate import SIGN_IN
from hotline.web.pages.routes import PAGES, PageRoute
from hotline.web.roles import SIGNING_IN
from shared import roles
from tests.city import UNIT
from tests.web.browser import People, needs_browser
from tests.web.door import Door

pytestmark = [pytest.mark.connected, needs_browser]
NOWHERE: Final = "1"
"""For each part of a path: nothing stands there, so that no page of a test does anything."""


def path_of(route: PageRoute) -> str:
    """An address of the page."""
    return re.sub(r"\{\w+\}", NOWHERE, route.path)


async def test_every_page_refuses_every_other_role(people: People) -> None:
    wrong, refused = [], 0
    for role in SIGNING_IN:
        _, link = await people.link("甲", role, UNIT if role == roles.UNIT else "")
        async with httpx2.AsyncClient(base_url=people.origin, trust_env=False, timeout=30) as client:
            headers = {"Origin": people.origin}
            signed = await client.post(SIGN_IN, data={"code": link.partition("=")[2]}, headers=headers)
            assert signed.status_code == 303
            for route in PAGES:
                if role in route.roles:
                    continue
                answer = await client.request(route.method, path_of(route), headers=headers)
                refused += 1
                if answer.status_code != 403:
                    wrong.append(f"{route.method} {route.path} {role}: {answer.status_code}")
    assert wrong == []
    assert refused > len(PAGES)


async def test_no_page_of_staff_is_at_the_public_listener_and_nobody_sees_one_without_signing_in(
    people: People, door: Door
) -> None:
    wrong = []
    public = f"http://{door.addresses['public']}"
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        for route in PAGES:
            away = await client.request(route.method, public + path_of(route))
            here = await client.request(
                route.method, people.origin + path_of(route), headers={"Origin": people.origin}
            )
            if away.status_code not in {404, 405} or here.status_code != 303:
                wrong.append(f"{route.method} {route.path}: {away.status_code} {here.status_code}")
    assert wrong == []
