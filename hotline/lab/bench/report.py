"""A result as a person reads it: tables in a terminal, plain lines where there is none."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hotline.lab.bench.result import Fixed, Result, Spread


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of as many cells as columns; the first cell names the row."""
    console = Console()
    if not console.is_terminal:
        console.print(f"{title}:", soft_wrap=True, highlight=False, markup=False)
        for row in rows:
            cells = ", ".join(
                f"{column} {cell}" for column, cell in zip(columns[1:], row[1:], strict=True) if cell
            )
            console.print(f"  {row[0]}: {cells}", soft_wrap=True, highlight=False, markup=False)
        return
    table = Table(title=title, title_justify="left")
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def print_pairs(rows: dict[str, str]) -> None:
    """Print names and what they are."""
    console = Console()
    if not console.is_terminal:
        for name, value in rows.items():
            console.print(f"{name}: {value}", soft_wrap=True, highlight=False, markup=False)
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), Text(value))
    console.print(table)


def print_line(line: str) -> None:
    """Print one sentence that matters."""
    Console().print(Text(line, style="bold"), soft_wrap=True)


def print_where(result: Result, first: dict[str, str] | None = None) -> None:
    """Print the settings, the machine and the versions; `first` are the part's own settings."""
    fixed, machine = result.fixed, result.machine
    print_pairs(
        {
            **(first or {}),
            **_fixed(fixed),
            "machine": f"{machine.cores} x {machine.processor}, {machine.memory_bytes / 2**30:.0f} GiB, "
            f"{machine.file_system}; others took at most {result.others_share:.0%} of it",
            "versions": ", ".join(f"{name} {number}" for name, number in machine.versions.items()),
            "commit": machine.commit or "unknown",
        }
    )


def print_verdict(result: Result, right: str) -> None:
    """Print the warnings, and what is wrong or the sentence `right`."""
    console = Console()
    for warning in result.warnings:
        console.print(Text(f"Note: {warning}.", style="yellow"), soft_wrap=True)
    if result.wrong:
        lines = "\n".join(result.wrong)
        console.print(Panel(Text(lines), title="WRONG: these figures count for nothing", style="red"))
    else:
        console.print(Text(right), soft_wrap=True)


def median_text(spread: Spread, form: str) -> str:
    """A median with its spread, where there is one."""
    middle = format(spread.median, form)
    if spread.low == spread.high:
        return middle
    return f"{middle} ({format(spread.low, form)} to {format(spread.high, form)})"


def _fixed(fixed: Fixed) -> dict[str, str]:
    return {
        "headers": f"{fixed.fact_headers} on a fact, {fixed.input_headers} on an input",
        "topics": f"{fixed.topics} for {fixed.units} units, one partition a unit's topic; "
        + ", ".join(f"{name} {number}" for name, number in fixed.partitions.items()),
        "batches": f"at most {fixed.batch_max:,} messages a desk, {fixed.page_max:,} facts the relay, "
        f"{fixed.batch_bytes_max // 1024} KiB a batch",
        "garbage collection": f"thresholds {fixed.gc_threshold} after a freeze, everywhere",
        "traces": f"{fixed.traces}, {fixed.traces_ratio:.0%} of the lives",
        "PostgreSQL": ", ".join(f"{name}={value}" for name, value in fixed.postgres.items()),
    }
