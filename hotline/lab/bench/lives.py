"""Part `lives`: whole lives a second, beside them the floor and the one-by-one way, in the same run.

Each round measures all three one after the other; the figures are the medians of the rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from deploy.city import making
from deploy.city.endpoints import DESKS, CityEndpoints
from hotline.lab.bench import picture
from hotline.lab.bench.check import LIFE
from hotline.lab.bench.floor import PARTS, PARTS_TOGETHER, Floor, floor_of
from hotline.lab.bench.machine import Machine
from hotline.lab.bench.meter import Spent
from hotline.lab.bench.mixes import SCALE, SCALE_QUICK, LivedMix, lived_mixes
from hotline.lab.bench.report import median_text, print_line, print_table, print_verdict, print_where
from hotline.lab.bench.result import Fixed, Spread, spread_of, warnings_of
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.stage import BATCH_MAX, BenchCity, stage
from hotline.lab.bench.whole import Load, MeasuredLives, lived
from hotline.lab.mix import Mix

UNDER_WAY: Final = 30_000
WARM_UP: Final = 0.15
WARM_UP_LIVES_MIN: Final = 6000
"""Before what is measured of each round: new processes, a new database."""
WARM_UP_STAGE: Final = 40_000
"""Lives before the first round. For so many lives Kafka's compiler takes up to 8 % of all processor time. The
floor comes later and would find it done."""
LIVES: Final = 20_000
LIVES_QUICK: Final = 4000
ROUNDS: Final = 3
TIMES_ONE_BY_ONE_MIN: Final = 25.0
LIVES_PER_SECOND_MIN: Final = 1000.0
RATE_IN_TENTHS: Final = 100
"""Rates below this are shown with one decimal."""
ONE_BY_ONE: Final = {
    **{f"{desk.upper()}_BATCH_MAX": "1" for desk in DESKS},
    "RELAY_PAGE_MAX": "1",
}


class LivesRound(msgspec.Struct, frozen=True, kw_only=True):
    """All three, measured once."""

    system: MeasuredLives
    one_by_one: MeasuredLives
    floor: Floor
    times_one_by_one: float
    """Lives a second by those of one message, one transaction."""
    share_of_floor: float
    """Lives a second by the floor's."""
    share_of_floor_cpu: float
    """The floor's processor time for a life by the system's: what others on the machine take is not in it."""


class LivesResult(Base, frozen=True, kw_only=True):
    """All that was measured, and what is to be thought of it."""

    one_process: bool = False
    """Whether all desks sat in one process, and the floor's parts of them too."""
    lives: int
    warm_up_lives: int
    warm_up_stage: int
    lives_one_by_one: int
    under_way: int
    """Lives under way at once."""
    rounds: list[LivesRound]
    lives_per_second: Spread
    times_one_by_one: Spread
    share_of_floor: Spread
    share_of_floor_cpu: Spread
    mixes: list[LivedMix]
    """Both mixes of the rehearsed city, beside; empty where only the plain one was asked for."""

    @property
    def middle(self) -> LivesRound:
        """The round with the middle rate: what is shown in detail."""
        in_order = sorted(self.rounds, key=lambda one: one.system.lives_per_second)
        return in_order[len(in_order) // 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class LivesSize:
    """How much is measured."""

    lives: int
    warm_up: int
    lives_one_by_one: int
    rounds: int = 1
    one_process: bool = False
    warm_up_stage: int = 0
    """Lives before the first round, measured by nobody."""
    mixes_scale: float = 0.0
    """Of the day that both mixes live beside; 0: none does."""

    @classmethod
    def of(cls, lives: int, *, quick: bool, one_process: bool = False, mix: Mix = Mix.FULL) -> LivesSize:
        """So many measured lives, and what goes with them."""
        warm_up = 2000 if quick else max(WARM_UP_LIVES_MIN, round(lives * WARM_UP))
        return cls(
            lives=lives,
            warm_up=warm_up,
            lives_one_by_one=100 if quick else 400,
            rounds=1 if quick else ROUNDS,
            one_process=one_process,
            warm_up_stage=0 if quick else WARM_UP_STAGE,
            mixes_scale=0.0 if mix is Mix.PLAIN else SCALE_QUICK if quick else SCALE,
        )


async def measured(
    *,
    quick: bool,
    folder: Path,
    say: Callable[[str], None],
    lives: int = LIVES,
    zipkin: bool = True,
    one_process: bool = False,
    mix: Mix = Mix.FULL,
) -> LivesResult:
    """See `Part.measured`; `quick` is one round of 4,000 lives.

    It measures the plain lives of ever. With the full mix a day of both mixes is lived beside.
    """
    size = LivesSize.of(LIVES_QUICK if quick else lives, quick=quick, one_process=one_process, mix=mix)
    async with stage(folder, say=say, zipkin=zipkin) as here:
        return await run(here, size, say)


async def run(here: BenchCity, size: LivesSize, say: Callable[[str], None]) -> LivesResult:
    """Measure so much."""
    load = Load(
        lives=size.warm_up + size.lives,
        warm_up=size.warm_up,
        under_way=UNDER_WAY,
        one_process=size.one_process,
    )
    how = "together" if size.one_process else "apart"
    rounds: list[LivesRound] = []
    if size.warm_up_stage:
        say(f"{size.warm_up_stage} lives to warm up the servers")
        before = await making.create(here.addresses, f"{how}0", here.units, simulated=True)
        cold = replace(load, lives=size.warm_up_stage, warm_up=size.warm_up_stage // 2)
        await _live(here, before, cold, say)
    for number in range(1, size.rounds + 1):
        say(f"round {number} of {size.rounds}: {size.warm_up} lives to warm up, {size.lives} measured")
        whole = await making.create(here.addresses, f"{how}{number}", here.units, simulated=True)
        system = await _live(here, whole, load, say)
        say(f"  the floor: {size.lives} lives' facts and messages, nothing else")
        floor = await floor_of(
            whole,
            lives=size.lives,
            facts_a_life=len(LIFE),
            messages={line: round(count / load.lives) for line, count in system.messages.items()},
            units=here.units,
            batch_max=BATCH_MAX,
            servers=here.servers,
            parts=PARTS_TOGETHER if size.one_process else PARTS,
        )
        say(f"  one by one: {size.lives_one_by_one} lives, one message and one transaction at a time")
        single = replace(
            load,
            lives=size.lives_one_by_one,
            warm_up=round(size.lives_one_by_one * WARM_UP),
            under_way=size.lives_one_by_one // 4,
            extra=ONE_BY_ONE,
        )
        alone = await making.create(here.addresses, f"{how}{number}single", here.units, simulated=True)
        rounds.append(compared(system, await _live(here, alone, single, say), floor))
    fixed = await here.fixed(whole, system.gc_threshold)
    mixes = await lived_mixes(here, how, size.mixes_scale, say) if size.mixes_scale else []
    return judged(here.machine(), fixed, size, rounds, mixes)


async def _live(
    here: BenchCity, endpoints: CityEndpoints, load: Load, say: Callable[[str], None]
) -> MeasuredLives:
    done = await lived(here, endpoints, load, say=say)
    say(f"  {done.lives_per_second:,.0f} lives/s; every life is checked")
    return done


def compared(system: MeasuredLives, one_by_one: MeasuredLives, floor: Floor) -> LivesRound:
    """One round and its ratios."""
    return LivesRound(
        system=system,
        one_by_one=one_by_one,
        floor=floor,
        times_one_by_one=system.lives_per_second / one_by_one.lives_per_second,
        share_of_floor=system.lives_per_second / floor.lives_per_second,
        share_of_floor_cpu=_cpu_a_life(floor.spent, floor.lives) / _cpu_a_life(system.spent, system.closed),
    )


def judged(
    machine: Machine,
    fixed: Fixed,
    size: LivesSize,
    rounds: list[LivesRound],
    mixes: Sequence[LivedMix] = (),
) -> LivesResult:
    """The medians, and what is to be said about them."""
    windows = {
        f"{what} of round {number}": spent
        for number, one in enumerate(rounds, 1)
        for what, spent in (
            ("the whole lives", one.system.spent),
            ("the floor", one.floor.spent),
            ("one by one", one.one_by_one.spent),
        )
    }
    rate = spread_of(one.system.lives_per_second for one in rounds)
    times = spread_of(one.times_one_by_one for one in rounds)
    warnings = warnings_of(machine, windows)
    if fixed.traces == "none":
        warnings.append("no trace viewer ran and no life was traced")
    if size.warm_up_stage < WARM_UP_STAGE:
        warnings.append(
            f"only {size.warm_up_stage + size.warm_up} lives to warm up: Kafka is still being compiled while "
            f"the system runs and is warm for the floor, so the share of the floor comes out too small"
        )
    if rate.median < LIVES_PER_SECOND_MIN:
        warnings.append(f"below the bar of {LIVES_PER_SECOND_MIN:,.0f} lives a second")
    if times.median < TIMES_ONE_BY_ONE_MIN:
        warnings.append(f"below the bar of {TIMES_ONE_BY_ONE_MIN:.0f} times one by one")
    wrong = [what for one in rounds for what in one.system.wrong]
    wrong += [what for one in mixes for what in one.wrong]
    wrong += [f"one by one: {what}" for one in rounds for what in one.one_by_one.wrong]
    return LivesResult(
        machine=machine,
        fixed=fixed,
        others_share=max(spent.others_share for spent in windows.values()),
        warnings=warnings,
        wrong=wrong,
        one_process=size.one_process,
        lives=size.lives,
        warm_up_lives=size.warm_up,
        warm_up_stage=size.warm_up_stage,
        lives_one_by_one=size.lives_one_by_one,
        under_way=UNDER_WAY,
        rounds=rounds,
        lives_per_second=rate,
        times_one_by_one=times,
        share_of_floor=spread_of(one.share_of_floor for one in rounds),
        share_of_floor_cpu=spread_of(one.share_of_floor_cpu for one in rounds),
        mixes=list(mixes),
    )


def _cpu_a_life(spent: Spent, lives: int) -> float:
    return sum(spent.cpu_seconds.values()) / lives


def show(result: LivesResult) -> None:
    """See `Part.show`."""
    one, rounds = result.middle, len(result.rounds)
    system, floor, single = one.system, one.floor, one.one_by_one
    which = f", the middle one of {rounds} rounds" if rounds > 1 else ""
    print_table(
        f"Whole lives: request to closed, eight facts each{', all desks in one process' * result.one_process}{which}",
        ("", "lives/s", "facts/s", "msgs/s", "CPU us/life", "WAL kB/life", "busy", "others"),
        _rates(one),
    )
    print_line(
        f"{median_text(result.lives_per_second, ',.0f')} lives a second, "
        f"{median_text(result.times_one_by_one, ',.0f')} times one by one. Of the floor "
        f"{median_text(result.share_of_floor, '.0%')} by lives a second, "
        f"{median_text(result.share_of_floor_cpu, '.0%')} by processor time a life."
    )
    print_table(
        "Where it went, by process: CPU us a life, memory MB",
        ("", "the system", "the floor", "one by one", "memory"),
        [
            (
                name,
                f"{seconds / system.closed * 1e6:,.0f}",
                f"{floor.spent.cpu_seconds[name] / floor.lives * 1e6:,.0f}"
                if name in floor.spent.cpu_seconds
                else "",
                f"{single.spent.cpu_seconds[name] / single.closed * 1e6:,.0f}",
                f"{system.memory_bytes[name] / 1e6:,.0f}" if name in system.memory_bytes else "",
            )
            for name, seconds in system.spent.cpu_seconds.items()
        ],
    )
    _print_mixes(result.mixes)
    print_where(
        result,
        {
            "lives": f"{result.lives:,} measured after {result.warm_up_lives:,} to warm up, "
            f"{result.warm_up_stage:,} before the first round, "
            f"{result.under_way:,} under way at once; {result.lives_one_by_one} one by one",
            "messages a life": f"{floor.messages_written / floor.lives:g} written, "
            f"{floor.messages_read / floor.lives:g} read",
            "facts at once": ", ".join(f"{name} {facts:,.0f}" for name, facts in system.batches.items()),
        },
    )
    checked = sum(one.system.lives + one.one_by_one.lives for one in result.rounds)
    print_verdict(
        result,
        f"All {checked:,} lives are whole: eight facts each in their order, versions dense, chains unbroken.",
    )


def _print_mixes(mixes: Sequence[LivedMix]) -> None:
    if not mixes:
        return
    print_table(
        "Beside it, a day of both mixes by the rehearsal's conductor: only to be compared with each other",
        ("mix", "lives", "orders", "inputs", "facts", "facts/order", "lives/s"),
        [
            (
                one.mix,
                *(f"{number:,}" for number in (one.lives, one.orders, one.inputs, one.facts)),
                f"{one.facts_an_order:.1f}",
                f"{one.lives_per_second:,.0f}",
            )
            for one in mixes
        ],
    )


def _rates(one: LivesRound) -> list[tuple[str, ...]]:
    system, floor, single = one.system, one.floor, one.one_by_one
    written = sum(system.messages.values()) / system.lives
    rows: list[tuple[str, ...]] = []
    for name, lives, facts, messages, spent in (
        ("the system", system.closed, system.facts, system.closed * written, system.spent),
        ("the floor", floor.lives, floor.facts, floor.messages_written, floor.spent),
        ("one by one", single.closed, single.facts, single.closed * written, single.spent),
    ):
        rate = lives / spent.seconds
        rows.append(
            (
                name,
                f"{rate:,.1f}" if rate < RATE_IN_TENTHS else f"{rate:,.0f}",
                f"{facts / spent.seconds:,.0f}",
                f"{messages / spent.seconds:,.0f}",
                f"{sum(spent.cpu_seconds.values()) / lives * 1e6:,.0f}",
                f"{spent.wal_bytes / lives / 1e3:,.1f}",
                f"{spent.busy_share:.0%}",
                f"{spent.others_share:.0%}",
            )
        )
    return rows


def plot(result: LivesResult, path: Path) -> None:
    """See `Part.plot`: the rates of all rounds, and where a life's processor time goes."""
    drawn = picture.figure("Whole lives: the system, its floor, and one by one")
    rates, times = drawn.subplots(1, 2)
    names = ("one by one", "the system", "the floor")
    values = [
        [getattr(one, field).lives_per_second for one in result.rounds]
        for field in ("one_by_one", "system", "floor")
    ]
    middles = [spread_of(each) for each in values]
    bars = rates.bar(
        names,
        [one.median for one in middles],
        yerr=[[one.median - one.low for one in middles], [one.high - one.median for one in middles]],
        capsize=4,
    )
    rates.bar_label(bars, fmt="{:,.0f}")
    rates.set_ylabel("lives a second")
    one = result.middle
    below = dict.fromkeys(("the system", "the floor"), 0.0)
    for name in one.system.spent.cpu_seconds:
        share = [
            one.system.spent.cpu_seconds[name] / one.system.closed * 1e6,
            one.floor.spent.cpu_seconds.get(name, 0.0) / one.floor.lives * 1e6,
        ]
        times.bar(list(below), share, bottom=list(below.values()), label=name)
        below = {key: low + more for (key, low), more in zip(below.items(), share, strict=True)}
    times.set_ylabel("CPU microseconds a life")
    times.legend(fontsize=7)
    picture.save(drawn, result, path)
