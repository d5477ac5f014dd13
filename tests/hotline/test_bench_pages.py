"""Part `pages` at a size too small to measure anything: it asks for every page there is, and each is answered."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from hotline.cli.bench import draw, tell
from hotline.lab.bench.page_addresses import LEFT_OUT, STREAMED, pages_asked
from hotline.lab.bench.page_browser import CHROMIUM
from hotline.lab.bench.pages import LIVE, VIEWERS, PagesResult, PagesSize, bars_missed, run
from hotline.lab.bench.stage import BenchCity
from hotline.web.pages.citizen.routes import CITIZEN_PAGES, DOOR_PAGES
from hotline.web.pages.routes import OPEN_PAGES, PAGES

SIZE = PagesSize(complaints=1000, calls=200, rounds=6, paints=1, painted=3, changes=1, stale=1)


@pytest.fixture(scope="module")
async def result(bench_stage: BenchCity) -> PagesResult:
    return await run(bench_stage, SIZE, print)


def test_every_page_of_the_tables_of_routes_is_asked_for_or_named_as_left_out() -> None:
    routes = {one.path for one in PAGES if one.method == "GET"}
    routes |= {one.path for one in OPEN_PAGES if one.method == "GET"}
    routes |= {path for method, path, _ in (*DOOR_PAGES, *CITIZEN_PAGES) if method == "GET"}
    asked = [one.path for one in pages_asked()]
    assert len(set(asked)) == len(asked)
    assert {*asked, *STREAMED, *LEFT_OUT} == routes
    assert {path for path, _, _ in LIVE} == set(STREAMED) - {"/record/calls"}


@pytest.mark.connected
@pytest.mark.timeout(900)
def test_every_page_is_answered_and_nothing_is_wrong(result: PagesResult) -> None:
    assert result.wrong == []
    assert [one.page for one in result.pages] == [one.path for one in pages_asked()]
    assert (result.complaints, result.open) == (1000, 400)
    for one in result.pages:
        assert 0 < one.wait.p50 <= one.p95 <= one.wait.highest
        assert 0 < one.packed < one.plain
    if CHROMIUM.exists():
        painted = [one.page for one in result.pages if one.painted]
        assert painted == [one.page for one in result.pages[:3]]


@pytest.mark.connected
@pytest.mark.timeout(900)
def test_two_hundred_viewers_are_one_rendering_and_the_pages_say_that_they_are_stale(
    result: PagesResult,
) -> None:
    assert [(one.page, one.regions, one.viewers) for one in result.live] == [
        (path, regions, viewers) for path, regions, _ in LIVE for viewers in (1, VIEWERS)
    ]
    for one in result.live:
        assert one.regions <= one.rendered <= one.rendered_max
        assert one.milliseconds > 0
    assert [one.page for one in result.stale] == ["/work/live", "/board/events"]
    assert all(one.seconds[0] > 0 for one in result.stale)


@pytest.mark.connected
@pytest.mark.timeout(900)
def test_it_is_told_to_a_program_and_to_a_person_and_drawn(
    result: PagesResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tell("pages", result, json=True)
    assert msgspec.convert(json.loads(capsys.readouterr().out), PagesResult) == result
    tell("pages", result, json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "Every page was answered, and every region was rendered once for all who looked." in said
    pytest.importorskip("matplotlib")
    draw("pages", result, tmp_path / "pages.svg")
    assert (tmp_path / "pages.svg").exists()


@pytest.mark.connected
@pytest.mark.timeout(900)
def test_a_missed_bar_is_a_warning(result: PagesResult) -> None:
    slow = msgspec.structs.replace(result.pages[0], p95=101.0, painted=[1001.0])
    late = msgspec.structs.replace(result.stale[0], seconds=[16.0])
    told = bars_missed(msgspec.structs.replace(result, pages=[slow], live=[], stale=[late]))
    assert any("p95 of 101 ms, the bar is 100" in said for said in told)
    assert any("first paint after 1,001 ms, the bar is 1,000" in said for said in told)
    assert any("stale after 16.0 s, the bar is 15" in said for said in told)
    assert not any("no first paint" in said for said in told)
