"""Part `latency`: how long each step takes at a steady rate, and what the whole system spends on it.

The system runs as in production: four desks and the relay as processes of their own, 200 units, everything
switched on. One load is offered a second time with the projector beside it. The bench sends requests at fixed
instants, whatever the system does, and counts waits from those instants (`hotline.lab.bench.pace`). So a stall shows
in every request that waited behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from deploy.city import making
from hotline.lab.bench import picture
from hotline.lab.bench.check import wrong_with
from hotline.lab.bench.latency_run import (
    LatencyRun,
    OfferedLoad,
    beside_projector,
    paced,
    served,
    wrong_with_limits,
)
from hotline.lab.bench.report import median_text, print_table, print_verdict, print_where
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.result import Spread, Wait, spread_of, warnings_of
from hotline.lab.bench.stage import BenchCity, stage
from shared.versions import RULESET

CALM: Final = "50 requests/s"
LISTED: Final = "50 requests/s beside the projector"
BUSY: Final = "1,500 requests/s"
LIMITS: Final = "50 limits/s"
LOADS: Final = (CALM, LISTED, BUSY, LIMITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySize:
    """How much is measured: each load so many times."""

    rounds: int
    warm_up: OfferedLoad
    """Offered first and lived to its end: doors are open then, topics known, Kafka's code compiled."""
    calm: OfferedLoad
    busy: OfferedLoad
    limits: OfferedLoad
    limit_seconds: float = 3.0

    @classmethod
    def of(cls, *, quick: bool) -> LatencySize:
        """Orders are looked for at a tenth of the units: who plays more pays by topics, a unit asks for its own."""
        calm, busy, limits = ((3, 10), (3, 5), (2, 6)) if quick else ((5, 40), (10, 20), (5, 20))
        return cls(
            rounds=1 if quick else 3,
            warm_up=OfferedLoad(rate=300, warm_up_seconds=0, seconds=4 if quick else 20, units_measured=1),
            calm=OfferedLoad(rate=50, warm_up_seconds=calm[0], seconds=calm[1], units_measured=20),
            busy=OfferedLoad(rate=1500, warm_up_seconds=busy[0], seconds=busy[1], units_measured=20),
            limits=OfferedLoad(rate=50, warm_up_seconds=limits[0], seconds=limits[1], units_measured=1),
        )


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a wait, in milliseconds."""

    p50_max: float | None
    p99_max: float


BARS: Final = {
    CALM: Bar(p50_max=10.0, p99_max=30.0),
    BUSY: Bar(p50_max=None, p99_max=100.0),
}
"""For request to order, in milliseconds."""
CORES_MAX: Final = 1.0
"""For the whole system at 50 requests a second."""
BESIDE_MAX: Final = 1.10
"""For a wait beside the projector by the same wait without it."""
LAG_MS_MAX: Final = 1000.0
"""For the lists behind the log, p99, at 50 requests a second."""


class LatencyResult(Base, frozen=True, kw_only=True):
    """All runs of all loads."""

    runs: list[LatencyRun]
    lives: int
    """Whole lives lived and checked."""
    limits: int
    """Limits missed and checked."""
    system_cores: dict[str, Spread]
    """By load."""

    def of(self, load: str) -> list[LatencyRun]:
        """The runs of one load."""
        return [run for run in self.runs if run.load == load]


async def measured(*, quick: bool, folder: Path, say: Callable[[str], None]) -> LatencyResult:
    """See `Part.measured`; `quick` is one run of each load, of seconds."""
    async with stage(folder, say=say) as here:
        return await run(here, LatencySize.of(quick=quick), say)


async def run(here: BenchCity, size: LatencySize, say: Callable[[str], None]) -> LatencyResult:
    """Measure so much."""
    runs: list[LatencyRun] = []
    whole = await making.create(here.addresses, "latency", here.units, simulated=True)
    async with served(here, whole, RULESET, say) as pids:
        say("warming up")
        warm, lives = await paced(here, whole, pids, "warming up", size.warm_up, 0, None, say)
        for number in range(1, size.rounds + 1):
            for name, load in ((CALM, size.calm), (LISTED, size.calm), (BUSY, size.busy)):
                say(f"round {number} of {size.rounds}: {name} for {load.seconds:g} s")
                async with beside_projector(here, whole, say, wanted=name == LISTED) as more:
                    done, asked = await paced(here, whole, pids | more, name, load, number, None, say)
                runs.append(done)
                lives += asked
    wrong = await wrong_with(whole.owner_dsn, lives)
    late = await making.create(here.addresses, "limits", here.units, simulated=True)
    async with served(here, late, "boston-311-2011", say) as pids:
        say("warming up")
        limits_load = replace(size.limits, seconds=1.0)
        cold, limits = await paced(here, late, pids, "warming up", limits_load, 0, size.limit_seconds, say)
        for number in range(1, size.rounds + 1):
            say(f"round {number} of {size.rounds}: {LIMITS} for {size.limits.seconds:g} s")
            done, asked = await paced(here, late, pids, LIMITS, size.limits, number, size.limit_seconds, say)
            runs.append(done)
            limits += asked
    wrong += await wrong_with_limits(late.owner_dsn, limits)
    fixed = await here.fixed(whole, runs[0].gc_threshold)
    machine = here.machine()
    wrong += [f"{one.load}: {what}" for one in (warm, cold, *runs) for what in one.wrong]
    warnings = warnings_of(machine, {f"run {n} of {one.load}": one.spent for n, one in enumerate(runs, 1)})
    if fixed.traces == "none":
        warnings.append("no trace viewer ran and no life was traced")
    result = LatencyResult(
        machine=machine,
        fixed=fixed,
        others_share=max(one.spent.others_share for one in runs),
        warnings=warnings,
        wrong=wrong,
        runs=runs,
        lives=lives,
        limits=limits,
        system_cores={
            load: spread_of(one.system_cores for one in runs if one.load == load) for load in LOADS
        },
    )
    result.warnings.extend(bars_missed(result))
    return result


def bars_missed(result: LatencyResult) -> list[str]:
    """Which bars the medians of the runs miss."""
    missed: list[str] = []
    for load, bar in BARS.items():
        orders = [one.waits["request to order"] for one in result.of(load)]
        p50, p99 = spread_of(w.p50 for w in orders).median, spread_of(w.p99 for w in orders).median
        if bar.p50_max is not None and p50 > bar.p50_max:
            missed.append(f"{load}: p50 of {p50:.1f} ms from request to order, the bar is {bar.p50_max:g}")
        if p99 > bar.p99_max:
            missed.append(f"{load}: p99 of {p99:.1f} ms from request to order, the bar is {bar.p99_max:g}")
    for what in ("p50", "p99"):
        alone, beside = (_median(result, load, what) for load in (CALM, LISTED))
        if beside > alone * BESIDE_MAX:
            missed.append(
                f"{LISTED}: {what} is {beside / alone:.2f} times as long, the bar is {BESIDE_MAX:g}"
            )
    lag = spread_of(one.lag.p99 for one in result.of(LISTED) if one.lag is not None).median
    if lag > LAG_MS_MAX:
        missed.append(f"{LISTED}: the lists are {lag:,.0f} ms behind (p99), the bar is {LAG_MS_MAX:,.0f}")
    cores = result.system_cores[CALM].median
    if cores > CORES_MAX:
        missed.append(f"{CALM}: the whole system takes {cores:.2f} cores, the bar is {CORES_MAX:g}")
    return missed


def _median(result: LatencyResult, load: str, rank: str) -> float:
    """From request to order, in milliseconds; `rank` is `p50` or `p99`."""
    return spread_of(getattr(one.waits["request to order"], rank) for one in result.of(load)).median


def show(result: LatencyResult) -> None:
    """See `Part.show`."""
    rows: list[tuple[str, ...]] = []
    for load in LOADS:
        runs = result.of(load)
        for what, waits in _waits(runs).items():
            rows.append(
                (
                    f"{load}: {what}",
                    median_text(spread_of(w.p50 for w in waits), ".1f"),
                    median_text(spread_of(w.p99 for w in waits), ".1f"),
                    median_text(spread_of(w.highest for w in waits), ".1f"),
                    f"{sum(w.count for w in waits):,}",
                )
            )
    print_table(
        f"Latency in milliseconds, from the intended instant; medians of {len(result.of(CALM))} runs",
        ("", "p50", "p99", "highest", "counted"),
        rows,
    )
    names = list(dict.fromkeys(name for one in result.runs for name in one.cores))
    print_table(
        "Cores kept busy, by process",
        ("", *LOADS),
        [
            (
                "the whole system",
                *(median_text(result.system_cores[load], ".2f") for load in LOADS),
            ),
            *(
                (
                    name,
                    *(
                        f"{spread_of(one.cores.get(name, 0.0) for one in result.of(load)).median:.2f}"
                        for load in LOADS
                    ),
                )
                for name in names
            ),
        ],
    )
    print_where(
        result,
        {
            "requests sent late": ", ".join(
                f"{load} p99 {spread_of(one.sent_late.p99 for one in result.of(load)).median:.1f} ms"
                for load in LOADS
            )
        },
    )
    print_verdict(
        result,
        f"All {result.lives:,} lives are whole; all {result.limits:,} limits were noticed once, none early.",
    )


def _waits(runs: list[LatencyRun]) -> dict[str, list[Wait]]:
    """By what was waited for; the lag of the lists is the last."""
    found = {what: [one.waits[what] for one in runs] for what in runs[0].waits}
    if lags := [one.lag for one in runs if one.lag is not None]:
        found["lists behind the log"] = lags
    return found


def plot(result: LatencyResult, path: Path) -> None:
    """See `Part.plot`: waits beside their bars, and who spends the processor."""
    drawn = picture.figure("Latency from the intended instant, and what it costs")
    waits, cores = drawn.subplots(1, 2)
    names: list[str] = []
    p50: list[float] = []
    p99: list[float] = []
    for load in LOADS:
        for what, seen in _waits(result.of(load)).items():
            names.append(f"{what}\n{load}")
            p50.append(spread_of(one.p50 for one in seen).median)
            p99.append(spread_of(one.p99 for one in seen).median)
    places = list(range(len(names)))
    waits.barh([y + 0.2 for y in places], p50, height=0.4, label="p50")
    waits.barh([y - 0.2 for y in places], p99, height=0.4, label="p99")
    waits.set_yticks(places, names, fontsize=7)
    waits.invert_yaxis()
    waits.set_xlabel("milliseconds")
    waits.legend(fontsize=7)
    below = [0.0] * len(LOADS)
    for name in dict.fromkeys(name for one in result.runs for name in one.cores):
        share = [spread_of(one.cores.get(name, 0.0) for one in result.of(load)).median for load in LOADS]
        cores.bar(LOADS, share, bottom=below, label=name)
        below = [low + more for low, more in zip(below, share, strict=True)]
    cores.set_ylabel("cores kept busy")
    cores.legend(fontsize=7)
    picture.save(drawn, result, path)
