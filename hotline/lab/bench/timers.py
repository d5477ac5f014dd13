"""Part `timers`: what open timers cost, and whether a thousand a second fire in time, once, never early.

Open timers are copied into `es.timer`; everything else takes the system's own way. The tick is escalation's
`Ticker`, and `es.append` sets and cancels the timers. Timers that fire belong to complaints that the desks'
own rules have recorded and dispatched. `python -m services.escalation` fires them.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from deploy.city import making
from hotline.lab.bench import picture
from hotline.lab.bench.city import catalogue_of
from hotline.lab.bench.machine import Machine
from hotline.lab.bench.report import median_text, print_line, print_table, print_verdict, print_where
from hotline.lab.bench.result import Fixed, Spread, spread_of, warnings_of
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.stage import BenchCity, stage
from hotline.lab.bench.timer_work import (
    AT_ONCE,
    HELD,
    OPEN,
    AtSize,
    Fired,
    TimerSize,
    at_size,
    fire_all,
    open_timers,
    wrong_with_fires,
)
from shared.log.postgres import SETTINGS
from shared.policy.calendar import calendar
from shared.policy.deadlines import due_at
from shared.policy.limits import DayKind
from shared.policy.ruleset import ruleset
from shared.runtime.garbage import tune_gc
from shared.runtime.telemetry import set_up_logs
from shared.versions import RULESET

TICK_GROWTH_MAX: Final = 1.2
DELAY_P99_MS_MAX: Final = 1000.0
DEADLINES_PER_SECOND_MIN: Final = 200_000
DEADLINE_YEARS: Final = (2021, 2022, 2023)
STARTS: Final = 50_000

PLAIN: Final = "as it is"


class TimersResult(Base, frozen=True, kw_only=True):
    """Costs by number of open timers, and the fires."""

    sizes: list[AtSize]
    tick_growth: float
    """A tick at the largest number by one at the smallest."""
    rate: int
    fires: list[Fired]
    deadlines_per_second: Spread
    """Limits computed on one core, by the calendar, on days asked for the first time."""


async def measured(*, quick: bool, folder: Path, say: Callable[[str], None]) -> TimersResult:
    """See `Part.measured`; `quick` is 100 thousand open timers and twenty seconds."""
    tune_gc()
    set_up_logs("ERROR")  # what a Ticker here says of itself is no part of the result
    async with stage(folder, say=say, zipkin=False) as here:
        return await run(here, TimerSize.of(quick=quick), say)


async def run(here: BenchCity, size: TimerSize, say: Callable[[str], None]) -> TimersResult:
    """Measure so much."""
    endpoints = await making.create(here.addresses, "timers", here.units, simulated=True)
    catalogue, targets = catalogue_of(len(here.units))
    owner = await asyncpg.connect(endpoints.owner_dsn, server_settings=SETTINGS, command_timeout=3600)
    sizes: list[AtSize] = []
    fires: list[Fired] = []
    wrong: list[str] = []
    try:
        held = 0
        for number in size.open_timers:
            say(f"{number:,} open timers")
            await open_timers(owner, number - held)
            held = number
            sizes.append(await at_size(here, endpoints, owner, number, size.rounds))
            say(f"  a tick {sizes[-1].tick_ms.median:.2f} ms, {sizes[-1].tick_pages} pages")
            if (now := await owner.fetchval(OPEN)) != number:
                wrong.append(f"{number:,} timers were open, after setting and cancelling {now:,} are")
        for how in (PLAIN, HELD):
            say(f"{size.rate * size.seconds:,} limits pass, {size.rate:,} a second: {how}")
            done = await fire_all(here, endpoints, owner, catalogue, targets, size, how, say)
            say(f"  p50 {done.delay.p50:.0f} ms, p99 {done.delay.p99:.0f} ms")
            fires.append(done)
    finally:
        await owner.close()
    fixed = await here.fixed(endpoints, gc.get_threshold())
    machine = here.machine()
    return judged(machine, fixed, size, sizes, fires, wrong)


def judged(
    machine: Machine, fixed: Fixed, size: TimerSize, sizes: list[AtSize], fires: list[Fired], wrong: list[str]
) -> TimersResult:
    """The result, with warnings and faults."""
    growth = sizes[-1].tick_ms.median / sizes[0].tick_ms.median
    windows = {f"{one.open_timers:,} open timers": one.spent for one in sizes}
    windows |= {f"the fires ({one.how})": one.spent for one in fires}
    warnings = warnings_of(machine, windows)
    computed = deadlines_per_second()
    if computed.median < DEADLINES_PER_SECOND_MIN:
        warnings.append(
            f"{computed.median:,.0f} limits are computed a second, the bar is {DEADLINES_PER_SECOND_MIN:,}"
        )
    if growth > TICK_GROWTH_MAX:
        warnings.append(
            f"a tick at {sizes[-1].open_timers:,} open timers takes {growth:.2f} times as long as at "
            f"{sizes[0].open_timers:,}, the bar is {TICK_GROWTH_MAX:g}"
        )
    for one in fires:
        if one.delay.p99 > DELAY_P99_MS_MAX:
            warnings.append(
                f"{one.how}: p99 of {one.delay.p99:,.0f} ms from limit to fact, the bar is "
                f"{DELAY_P99_MS_MAX:g}"
            )
        if one.due_before_start:
            warnings.append(
                f"{one.how}: {one.due_before_start:,} limits had passed before escalation started; their "
                f"delays are not counted"
            )
    return TimersResult(
        machine=machine,
        fixed=fixed,
        others_share=max(one.others_share for one in windows.values()),
        warnings=warnings,
        wrong=[*wrong, *(what for one in fires for what in wrong_with_fires(one))],
        sizes=sizes,
        tick_growth=growth,
        rate=size.rate,
        fires=fires,
        deadlines_per_second=computed,
    )


def deadlines_per_second() -> Spread:
    """How many limits one core computes: the four classes, natural and working days, starts all over a day.

    A desk asks about the days of one week again and again. Each run here takes a year of its own, so no day
    of it is known at the beginning.
    """
    natural, days = ruleset(RULESET), calendar("cn-1")
    working = msgspec.structs.replace(natural, day_kind=DayKind.WORKING)
    asked = [
        (limits.feedback, rules)
        for rules in (natural, working)
        for limits in natural.classes.values()
        if limits.feedback is not None
    ]
    runs: list[float] = []
    for year in DEADLINE_YEARS:
        starts = [
            datetime(year, 1, 1, tzinfo=UTC) + timedelta(seconds=number * 97) for number in range(STARTS)
        ]
        began_at = time.process_time()
        for start in starts:
            for limit, rules in asked:
                due_at(start, limit, rules, days)
        runs.append(STARTS * len(asked) / (time.process_time() - began_at))
    return spread_of(runs)


# -- open timers


# -- fires


# -- telling


def show(result: TimersResult) -> None:
    """See `Part.show`."""
    print_table(
        "What open timers cost",
        ("open timers", "tick ms", "pages a tick", "set us", "cancel us", "others"),
        [
            (
                f"{one.open_timers:,}",
                median_text(one.tick_ms, ".2f"),
                str(one.tick_pages),
                f"{one.set_us.median:.0f}",
                f"{one.cancel_us.median:.0f}",
                f"{one.spent.others_share:.0%}",
            )
            for one in result.sizes
        ],
    )
    print_line(
        f"A tick at {result.sizes[-1].open_timers:,} open timers takes {result.tick_growth:.2f} times as long "
        f"as at {result.sizes[0].open_timers:,}."
    )
    print_table(
        f"{result.rate:,} limits pass a second, {result.fires[0].asked:,} in all, "
        f"{result.sizes[-1].open_timers:,} others open",
        ("", "p50 ms", "p99 ms", "highest", "early", "twice", "lost", "tick after ms", "dead rows", "others"),
        [
            (
                one.how,
                f"{one.delay.p50:,.0f}",
                f"{one.delay.p99:,.0f}",
                f"{one.delay.highest:,.0f}",
                str(one.early),
                str(one.twice),
                str(one.lost),
                median_text(one.tick_after_ms, ".2f"),
                f"{one.dead_rows:,}",
                f"{one.spent.others_share:.0%}",
            )
            for one in result.fires
        ],
    )
    print_table(
        "Cores kept busy while they fire",
        ("", *(one.how for one in result.fires)),
        [(name, *(f"{one.cores[name]:.2f}" for one in result.fires)) for name in result.fires[0].cores],
    )
    print_line(
        f"One core computes {median_text(result.deadlines_per_second, ',.0f')} limits a second "
        f"(bar {DEADLINES_PER_SECOND_MIN:,})."
    )
    print_where(result, {"timers in a transaction": f"{AT_ONCE} set or cancelled"})
    fired = sum(one.fired for one in result.fires)
    print_verdict(result, f"All {fired:,} limits that passed were stated once, none early.")


def plot(result: TimersResult, path: Path) -> None:
    """See `Part.plot`: cost by number of open timers, and the delays of the fires."""
    drawn = picture.figure("Timers: what open ones cost, and how late a thousand a second fire")
    costs, delays = drawn.subplots(1, 2)
    counts = [one.open_timers for one in result.sizes]
    for name, values in (
        ("an empty tick, us", [one.tick_ms.median * 1e3 for one in result.sizes]),
        ("setting one of a hundred, us", [one.set_us.median for one in result.sizes]),
        ("cancelling one of a hundred, us", [one.cancel_us.median for one in result.sizes]),
    ):
        costs.plot(counts, values, marker="o", label=name)
    costs.set_xscale("log")
    costs.set_ylim(bottom=0)
    costs.set_xlabel("open timers")
    costs.legend(fontsize=7)
    names = [one.how for one in result.fires]
    places = list(range(len(names)))
    delays.bar([x - 0.2 for x in places], [one.delay.p50 for one in result.fires], width=0.4, label="p50")
    delays.bar([x + 0.2 for x in places], [one.delay.p99 for one in result.fires], width=0.4, label="p99")
    delays.axhline(DELAY_P99_MS_MAX, linestyle=":", label="bar for p99")
    delays.set_xticks(places, names)
    delays.set_ylabel("ms from limit to fact")
    delays.legend(fontsize=7)
    picture.save(drawn, result, path)
