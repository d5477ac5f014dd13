"""Part `pages`: how long every page takes at a million complaints, 400 thousand of them open.

A log is grown as in the part `reads`. The pages' process and the projector are started on it. Every page of the tables
of routes is asked for, again and again, by people of its roles. Then 200 people look at each live region while the log
moves on. Last, the projector is stopped, and it is measured how soon a page calls itself stale.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from deploy.city import making
from deploy.city.endpoints import CityEndpoints
from hotline.governance.facts import (
    ItemNamed,
    ProgrammeAdopted,
    ProgrammeProposed,
    TaskSet,
    Wanted,
    programme_id_of,
)
from hotline.governance.log import programmes
from hotline.lab.bench import page_furniture, picture
from hotline.lab.bench.generator import append_lives, grow_lives
from hotline.lab.bench.meter import Meter, Spent, spent
from hotline.lab.bench.page_addresses import (
    KnownCity,
    PageAddresses,
    known_of,
    pages_asked,
    some_complaints,
)
from hotline.lab.bench.page_browser import WITHOUT, first_paints, open_browser
from hotline.lab.bench.page_live import LiveTimes, StaleTimes, looked_at, stale_after
from hotline.lab.bench.page_run import CITIZENS, Askers, PagesProcess, PageTimes, pages_of
from hotline.lab.bench.reads import CALLS_A_DAY, OPEN_OF_TEN, gone_through
from hotline.lab.bench.report import print_line, print_table, print_verdict, print_where
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.result import warnings_of
from hotline.lab.bench.stage import BenchCity, stage
from hotline.lab.desks.city import prepare
from hotline.scoring.ledger import scores
from hotline.web.pages.board.page import REGIONS as BOARD_REGIONS
from hotline.web.pages.operations.page import REGIONS as OPERATIONS_REGIONS
from hotline.web.roles import SIGNING_IN
from services.intake.knowledge import base
from services.intake.knowledge.file import articles
from services.intake.knowledge.questions import questions
from shared import roles
from shared.ids import UnitId
from shared.log.acts import acting
from shared.policy.ruleset import ruleset
from shared.versions import RULESET

P95_MS_MAX: Final = 100.0
PAINT_MS_MAX: Final = 1000.0
REGION_MS_MAX: Final = 50.0
STALE_SECONDS_MAX: Final = 15.0
VIEWERS: Final = 200
LIVE: Final = (
    ("/work/live", 1, roles.UNIT),
    ("/board/events", len(BOARD_REGIONS), roles.SUPERVISION),
    ("/operations/events", len(OPERATIONS_REGIONS), roles.SUPERVISION),
)
"""Each stream with how many regions it has, and the role of its viewers."""
STALE: Final = ("/work/live", "/board/events")
"""The streams that say as of when their lists are."""
MONTHS: Final = 12
ITEMS, TASKS = 5, 10
"""Problems of a programme, and tasks of each."""
_LAST: Final = "SELECT max(received_at) FROM read.complaint"
_CLOCK: Final = "INSERT INTO lab.city_clock (now, settled) VALUES ($1, $1)"
_OPEN: Final = "SELECT coalesce(sum(complaints), 0)::bigint FROM read.total WHERE stage <> 'ENDED'"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesSize:
    """How much is measured."""

    complaints: int
    calls: int
    rounds: int
    """How often each page is asked for."""
    paints: int
    """How often a page is painted by a browser."""
    painted: int
    """So many pages at most are painted, the first ones."""
    changes: int
    """Changes of the log while a live region is looked at."""
    stale: int
    """How often the projector is stopped."""

    @classmethod
    def of(cls, *, quick: bool) -> PagesSize:
        """A million complaints, or ten thousand."""
        if quick:
            return cls(complaints=10_000, calls=2000, rounds=6, paints=1, painted=100, changes=1, stale=1)
        return cls(
            complaints=10**6,
            calls=2 * CALLS_A_DAY,
            rounds=200,
            paints=5,
            painted=100,
            changes=10,
            stale=5,
        )


class PagesResult(Base, frozen=True, kw_only=True):
    """All that was measured."""

    complaints: int
    open: int
    pages: list[PageTimes]
    live: list[LiveTimes]
    stale: list[StaleTimes]
    memory_mb: float
    """Resident memory of the pages' process at the end."""


async def measured(*, quick: bool, folder: Path, say: Callable[[str], None]) -> PagesResult:
    """See `Part.measured`; `quick` is ten thousand complaints."""
    async with stage(folder, say=say, zipkin=False) as here:
        return await run(here, PagesSize.of(quick=quick), say)


async def run(here: BenchCity, size: PagesSize, say: Callable[[str], None]) -> PagesResult:
    """Measure so much."""
    endpoints = await making.create(here.addresses, "pages", here.units, simulated=True)
    say(f"a log is grown to {size.complaints:,} complaints")
    await grow_lives(endpoints.owner_dsn, size.complaints, open_of_ten=OPEN_OF_TEN, say=say)
    await gone_through(endpoints, size.calls)
    owner = await asyncpg.connect(endpoints.owner_dsn, command_timeout=3600)
    wrong: list[str] = []
    try:
        known = await _furnished(endpoints, owner, say)
        open_now = await owner.fetchval(_OPEN)
        async with pages_of(here, endpoints, say) as served:
            meter = Meter({**served.pids, **here.servers}, owner)
            run_of = _Run(served, endpoints, size, known, wrong, say)
            pages, live, stale, window = await run_of.measure(owner, meter)
            memory = served.memory_mb
    finally:
        await owner.close()
    machine = here.machine()
    result = PagesResult(
        machine=machine,
        fixed=await here.fixed(endpoints, gc.get_threshold()),
        others_share=window.others_share,
        warnings=warnings_of(machine, {"the pages": window}),
        wrong=wrong,
        complaints=size.complaints,
        open=open_now,
        pages=pages,
        live=live,
        stale=stale,
        memory_mb=memory,
    )
    result.warnings.extend(bars_missed(result))
    await here.drop(endpoints)
    return result


@dataclass
class _Run:
    """One run on pages that are served."""

    served: PagesProcess
    endpoints: CityEndpoints
    size: PagesSize
    known: KnownCity
    wrong: list[str]
    say: Callable[[str], None]
    moved: int = 0
    """Lives that were added to what was grown."""

    async def measure(
        self, owner: asyncpg.Connection[Any], meter: Meter
    ) -> tuple[list[PageTimes], list[LiveTimes], list[StaleTimes], Spent]:
        """The pages, the live regions, how soon they are stale, and what was spent on the pages."""
        askers = Askers(self.served)
        try:
            await askers.sign_in(SIGNING_IN, self.known.unit, await some_complaints(owner, CITIZENS))
            self.say("every page is asked for")
            began = await meter.read()
            pages = await self._pages(askers)
            window = spent(began, await meter.read())
            pages = await self._painted(askers, pages)
            return pages, await self._live(askers), await self._stale(askers), window
        finally:
            await askers.close()

    async def _pages(self, askers: Askers) -> list[PageTimes]:
        make = PageAddresses(known=self.known, random=Random(1))  # noqa: S311 -- the same pages in every run
        rounds = self.size.rounds
        return [await askers.asked(page, rounds, make, self.wrong) for page in pages_asked()]

    async def _painted(self, askers: Askers, pages: Sequence[PageTimes]) -> list[PageTimes]:
        make = PageAddresses(known=self.known, random=Random(2))  # noqa: S311 -- the same pages in every run
        async with open_browser() as browser:
            if browser is None:
                self.say(WITHOUT)
                return list(pages)
            self.say("every page is painted")
            found: list[PageTimes] = []
            for one in pages[: self.size.painted]:
                client, number = askers.people[one.roles[-1]][0]
                addresses = [make.of(one.page, number) for _ in range(self.size.paints)]
                paints = await first_paints(browser, client, addresses)
                found.append(msgspec.structs.replace(one, painted=paints))
            return [*found, *pages[self.size.painted :]]

    async def _live(self, askers: Askers) -> list[LiveTimes]:
        found: list[LiveTimes] = []
        for (path, regions, role), viewers in product(LIVE, (1, VIEWERS)):
            self.say(f"{path} is looked at by {viewers}")
            client = askers.people[role][0][0]
            changes = self.size.changes
            times, wrong = await looked_at(self.served, client, (path, regions), viewers, changes, self._move)
            self.wrong.extend(wrong)
            found.append(times)
        return found

    async def _stale(self, askers: Askers) -> list[StaleTimes]:
        self.say("the projector is stopped")
        clients = {path: askers.people[role][0][0] for path, _, role in LIVE if path in STALE}
        seconds: dict[str, list[float]] = {path: [] for path in clients}
        for _ in range(self.size.stale):
            for path, took in (await stale_after(self.served, clients, self._move)).items():
                seconds[path].append(took)
        return [StaleTimes(page=path, seconds=took) for path, took in seconds.items()]

    async def _move(self) -> None:
        """One life more in the log."""
        first = self.size.complaints + self.moved
        await append_lives(self.endpoints.owner_dsn, first, 1, open_of_ten=OPEN_OF_TEN)
        self.moved += 1


async def _furnished(
    endpoints: CityEndpoints, owner: asyncpg.Connection[Any], say: Callable[[str], None]
) -> KnownCity:
    """Give the city its time, its articles, a year of programmes, full lists and its scores; what there is then."""
    present: datetime = await owner.fetchval(_LAST)
    await prepare(endpoints.owner_dsn)
    await owner.execute(_CLOCK, present)
    told = articles("")
    async with acting(endpoints.login("editor")) as editor:
        await base.load(editor, told.articles)
    async with programmes(endpoints.login("governor")) as log:
        for month in range(1, MONTHS + 1):
            await log.record(_programme(present.year, month, present))
    await page_furniture.fill(owner)
    say("the scores of every month are counted")
    rules = ruleset(RULESET)
    async with scores(endpoints.login("governor"), ZoneInfo(rules.timezone), rules.score.counting) as view:
        await view.catch_up()
    await owner.execute("VACUUM (ANALYZE)")  # as autovacuum would, but not while something is measured
    known = {one.id for one in told.articles}
    return await known_of(owner, told, [one.text for one in questions(None, known)])


def _programme(year: int, month: int, at: datetime) -> list[Wanted]:
    title = f"第{month}月的治理主题"
    made = programme_id_of(year, month, title)
    unit, by = UnitId("u001"), "bench"
    facts: list[Wanted] = [
        ProgrammeProposed(
            programme_id=made, by=by, year=year, month=month, title=title, lead=unit, proposed_at=at
        ),
        ProgrammeAdopted(programme_id=made, by=by, adopted_at=at),
    ]
    for item in range(1, ITEMS + 1):
        named = ItemNamed(programme_id=made, by=by, item=item, title=f"问题{item}", lead=unit, named_at=at)
        facts.append(named)
        facts.extend(
            TaskSet(
                programme_id=made,
                by=by,
                task=(item - 1) * TASKS + place + 1,
                item=item,
                title=f"任务{place + 1}",
                owner=unit,
                due=date(year, month, 28) + timedelta(days=30 * place),
                set_at=at,
            )
            for place in range(TASKS)
        )
    return facts


def bars_missed(result: PagesResult) -> list[str]:
    """Which bars are missed."""
    missed = [
        f"{one.page}: p95 of {one.p95:,.0f} ms, the bar is {P95_MS_MAX:.0f}"
        for one in result.pages
        if one.p95 > P95_MS_MAX
    ]
    missed += [
        f"{one.page}: first paint after {median(one.painted):,.0f} ms, the bar is {PAINT_MS_MAX:,.0f}"
        for one in result.pages
        if one.painted and median(one.painted) > PAINT_MS_MAX
    ]
    missed += [
        f"{one.page}: a region took {one.milliseconds:,.0f} ms for {one.viewers}, the bar is {REGION_MS_MAX:.0f}"
        for one in result.live
        if one.milliseconds > REGION_MS_MAX
    ]
    missed += [
        f"{one.page}: stale after {max(one.seconds):.1f} s, the bar is {STALE_SECONDS_MAX:.0f}"
        for one in result.stale
        if max(one.seconds) > STALE_SECONDS_MAX
    ]
    if not any(one.painted for one in result.pages):
        missed.append(WITHOUT)
    return missed


def show(result: PagesResult) -> None:
    """See `Part.show`."""
    print_table(
        f"Pages at {result.complaints:,} complaints, {result.open:,} open: milliseconds, warm",
        ("", "p50", "p95", "highest", "first paint", "kB packed", "kB", "by", "slowest"),
        [
            (
                one.page,
                f"{one.wait.p50:.1f}",
                f"{one.p95:.1f}",
                f"{one.wait.highest:.1f}",
                f"{median(one.painted):.0f}" if one.painted else "",
                f"{one.packed / 1e3:.1f}",
                f"{one.plain / 1e3:.1f}",
                " ".join(one.roles) or "anybody",
                one.slowest,
            )
            for one in result.pages
        ],
    )
    print_table(
        "Live regions: milliseconds by the clock, other work of the process with them",
        ("", "viewers", "regions", "renderings", "ms a rendering", "seconds"),
        [
            (
                one.page,
                f"{one.viewers:,}",
                f"{one.regions}",
                f"{one.rendered:,}",
                f"{one.milliseconds:.1f}",
                f"{one.seconds:.1f}",
            )
            for one in result.live
        ],
    )
    print_table(
        "Without the projector, seconds until a page says that its lists are stale",
        ("", "middle", "longest"),
        [(one.page, f"{median(one.seconds):.1f}", f"{max(one.seconds):.1f}") for one in result.stale],
    )
    print_line(f"The pages' process holds {result.memory_mb:.0f} MB at the end.")
    print_where(result)
    print_verdict(result, "Every page was answered, and every region was rendered once for all who looked.")


def plot(result: PagesResult, path: Path) -> None:
    """See `Part.plot`: the 95th percentile of each page."""
    drawn = picture.figure(f"Pages at {result.complaints:,} complaints: p95 in milliseconds")
    axes = drawn.subplots()
    ordered = sorted(result.pages, key=lambda one: one.p95)
    bars = axes.barh([one.page for one in ordered], [one.p95 for one in ordered])
    axes.bar_label(bars, fmt="{:,.0f}", fontsize=6)
    axes.axvline(P95_MS_MAX, linestyle="--")
    axes.tick_params(axis="y", labelsize=6)
    picture.save(drawn, result, path)
