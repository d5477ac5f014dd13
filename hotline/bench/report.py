"""A result as a person reads it."""

from __future__ import annotations

from typing import Final

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hotline.bench.run import Result

RATE_IN_TENTHS: Final = 100
"""Rates below this are shown with one decimal."""


def show(result: Result, console: Console) -> None:
    """Print tables and what is to be said about them."""
    console.print(Group(_rates(result), _ratios(result), _processes(result), _settings(result)))
    for warning in result.warnings:
        console.print(Text(f"Note: {warning}.", style="yellow"))
    if result.wrong:
        lines = "\n".join(result.wrong)
        console.print(Panel(Text(lines), title="WRONG: these figures count for nothing", style="red"))
    else:
        checked = result.system.lives + result.one_by_one.lives
        console.print(
            f"All {checked:,} lives are whole: eight facts each in their order, versions dense, chains unbroken."
        )


def _rates(result: Result) -> Table:
    system, floor, single = result.system, result.floor, result.one_by_one
    written = sum(system.messages.values()) / system.lives
    table = Table(title="Whole lives: request to closed, eight facts each", title_justify="left")
    table.add_column("", no_wrap=True)
    for name in ("lives/s", "facts/s", "msgs/s", "CPU us/life", "WAL kB/life", "busy", "others"):
        table.add_column(name, justify="right")
    for name, lives, facts, messages, spent in (
        ("the system", system.closed, system.facts, system.closed * written, system.spent),
        ("the floor", floor.lives, floor.facts, floor.messages_written, floor.spent),
        ("one by one", single.closed, single.facts, single.closed * written, single.spent),
    ):
        rate = lives / spent.seconds
        table.add_row(
            name,
            f"{rate:,.1f}" if rate < RATE_IN_TENTHS else f"{rate:,.0f}",
            f"{facts / spent.seconds:,.0f}",
            f"{messages / spent.seconds:,.0f}",
            f"{sum(spent.cpu_seconds.values()) / lives * 1e6:,.0f}",
            f"{spent.wal_bytes / lives / 1e3:,.1f}",
            f"{spent.busy_share:.0%}",
            f"{spent.others_share:.0%}",
        )
    return table


def _ratios(result: Result) -> Text:
    return Text(
        f"{result.times_one_by_one:,.0f} times one by one. Of the floor {result.share_of_floor:.0%} by lives a "
        f"second, {result.share_of_floor_cpu:.0%} by processor time a life.",
        style="bold",
    )


def _processes(result: Result) -> Table:
    system, floor, single = result.system, result.floor, result.one_by_one
    table = Table(title="Where it went, by process", title_justify="left")
    table.add_column("CPU us a life", no_wrap=True)
    for name in ("the system", "the floor", "one by one", "memory MB"):
        table.add_column(name, justify="right")
    for name, seconds in system.spent.cpu_seconds.items():
        below = floor.spent.cpu_seconds.get(name)
        held = system.memory_bytes.get(name)
        table.add_row(
            name,
            f"{seconds / system.closed * 1e6:,.0f}",
            "" if below is None else f"{below / floor.lives * 1e6:,.0f}",
            f"{single.spent.cpu_seconds[name] / single.closed * 1e6:,.0f}",
            "" if held is None else f"{held / 1e6:,.0f}",
        )
    return table


def _settings(result: Result) -> Table:
    settings, place, system, floor = result.settings, result.place, result.system, result.floor
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    rows = {
        "lives": f"{settings.lives:,} measured after {settings.warm_up_lives:,} to warm up, "
        f"{settings.under_way:,} under way at once; {settings.lives_one_by_one} one by one",
        "messages a life": f"{floor.messages_written / floor.lives:g} written, "
        f"{floor.messages_read / floor.lives:g} read; "
        f"{settings.fact_headers} headers on a fact, {settings.input_headers} on an input",
        "topics": f"{settings.topics} for {settings.units} units, one partition a unit's topic; "
        + ", ".join(f"{name} {number}" for name, number in settings.partitions.items()),
        "batches": f"at most {settings.batch_max:,} messages a desk, {settings.page_max:,} facts the relay, "
        f"{settings.batch_bytes_max // 1024} KiB a batch; facts at once on average: "
        + ", ".join(f"{name} {facts:,.0f}" for name, facts in system.batches.items()),
        "garbage collection": f"thresholds {settings.gc_threshold} after a freeze, everywhere",
        "traces": f"{settings.traces}, {settings.traces_ratio:.0%} of the lives",
        "PostgreSQL": ", ".join(f"{name}={value}" for name, value in settings.postgres.items()),
        "machine": f"{place.cores} x {place.processor}, {place.memory_bytes / 2**30:.0f} GiB, "
        f"{place.file_system}",
        "versions": ", ".join(f"{name} {number}" for name, number in place.versions.items()),
        "commit": place.commit or "unknown",
    }
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), Text(value))
    return table
