"""A region of a page is rendered once for all who look at it, and no more where nobody does. Pure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from hotline.web.open_streams import OpenStreams
from hotline.web.pages import live
from hotline.web.pages.live import LiveRegions, RenderedRegion
from shared.runtime.telemetry import Telemetry
from tests.shell import PATIENCE

VIEWERS: Final = 200


class Lists:
    """How far the lists are, as the pool tells it."""

    def __init__(self) -> None:
        self.through = 1
        self.rendered = 0

    async def fetchval(self, _: str) -> int:
        return self.through

    async def render(self) -> RenderedRegion:
        self.rendered += 1
        return RenderedRegion(f"<p>{self.through}</p>", "now", late=False)


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> Lists:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.02)
    return Lists()


@pytest.fixture
async def regions(lists: Lists) -> AsyncIterator[LiveRegions]:
    streams = OpenStreams()
    pool: Any = lists
    yield LiveRegions(pool, streams, Telemetry("test-live"))
    streams.stop.set()


async def heard(stream: AsyncIterator[bytes], what: bytes) -> None:
    """Read until this has come."""
    async for chunk in stream:
        if what in chunk:
            return


async def test_two_hundred_viewers_cost_one_rendering_a_change(lists: Lists, regions: LiveRegions) -> None:
    streams = [regions.follow("one", lists.render) for _ in range(VIEWERS)]
    await asyncio.gather(*(heard(one, b"<p>1</p>") for one in streams))
    assert lists.rendered == 1
    lists.through = 2
    await asyncio.gather(*(heard(one, b"<p>2</p>") for one in streams))
    assert lists.rendered == 2
    for one in streams:
        await one.aclose()  # type: ignore[attr-defined]
    assert regions.viewers == 0


async def test_nothing_is_rendered_where_nobody_looks(lists: Lists, regions: LiveRegions) -> None:
    stream = regions.follow("one", lists.render)
    await heard(stream, b"<p>1</p>")
    await stream.aclose()  # type: ignore[attr-defined]
    lists.through = 2
    await asyncio.sleep(0.1)
    assert lists.rendered == 1


async def test_a_region_that_became_empty_is_sent_empty(lists: Lists, regions: LiveRegions) -> None:
    """Also where it is empty from the first look on: the page may show what was there before."""

    async def render() -> RenderedRegion:
        return RenderedRegion("<p>1</p>" if lists.through == 2 else "", "now", late=False)

    stream = regions.follow("one", render)
    for through, told in ((1, b"id: 1\ndata:  \n\n"), (2, b"<p>1</p>"), (3, b"id: 3\ndata:  \n\n")):
        lists.through = through
        async with asyncio.timeout(PATIENCE * 20):
            await heard(stream, told)
    await stream.aclose()  # type: ignore[attr-defined]


async def test_two_languages_are_two_regions(lists: Lists, regions: LiveRegions) -> None:
    both = [regions.follow(("list", language), lists.render) for language in ("zh", "en")]
    await asyncio.gather(*(heard(one, b"<p>1</p>") for one in both))
    assert lists.rendered == 2
    for one in both:
        await one.aclose()  # type: ignore[attr-defined]


async def test_a_stream_ends_at_once_where_the_process_stops(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = OpenStreams()
    pool: Any = lists
    regions = LiveRegions(pool, streams, Telemetry("test-live-stop"))
    stream = regions.follow("one", lists.render)
    await heard(stream, b"<p>1</p>")
    streams.stop.set()
    async with asyncio.timeout(PATIENCE * 2):
        assert [chunk async for chunk in stream if b"<p>" in chunk] == []
