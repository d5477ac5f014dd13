"""The fixtures of the tests of pages: a door on the town, a browser with people in it, the agents' key."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from shared import roles
from tests.city import City
from tests.web.browser import People, open_browser
from tests.web.door import Door, open_door


@pytest.fixture(scope="module")
async def door(town: City, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    async with open_door(town, tmp_path_factory.mktemp("pages")) as made:
        yield made


@pytest.fixture(scope="module")
async def sound_door(door: Door) -> AsyncIterator[Door]:
    """The same where no page may fail."""
    yield door
    assert [line for line in door.log.read_text().splitlines() if '"page_failed"' in line] == []


@pytest.fixture(scope="module")
async def people(door: Door) -> AsyncIterator[People]:
    async with open_browser() as browser:
        made = People(browser, door)
        yield made
        await made.close()


@pytest.fixture(scope="module")
async def agents(door: Door) -> httpx2.AsyncClient:
    return await door.of(roles.AGENTS)
