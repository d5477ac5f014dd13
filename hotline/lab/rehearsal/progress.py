"""The view of a rehearsal for a person: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from hotline.lab.simulation.conductor import RehearsalProgress
from hotline.terminal import cell, say
from shared.times import shown

LINE_SECONDS: Final = 5.0
"""How often a line is printed where there is no terminal."""


class View:
    """Shows progress while it lasts; a context manager."""

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        """A live table where standard output is a terminal; `quiet` shows nothing at all."""
        self._title = title
        self._quiet = quiet
        self._console = Console()
        self._live: Live | None = None
        self._printed_at = 0.0
        self._began_at = time.monotonic()
        self._before: tuple[float, int] = (0.0, 0)
        self._speed = 0.0

    def __enter__(self) -> Self:
        """Begin."""
        if self._console.is_terminal and not self._quiet:
            self._live = Live(console=self._console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; the table disappears, what is printed afterwards stands alone."""
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """One line from somebody else: what was started, what died and came back."""
        if self._live is not None:
            self._live.console.print(cell(text), highlight=False)
        elif not self._quiet:
            say(text)

    def show(self, progress: RehearsalProgress) -> None:
        """The newest state."""
        self._measure(progress)
        if self._live is not None:
            self._live.update(self._table(progress))
        elif not self._quiet and time.monotonic() - self._printed_at >= LINE_SECONDS:
            self._printed_at = time.monotonic()
            say(self._line(progress))

    def _measure(self, progress: RehearsalProgress) -> None:
        """Lives ended a second, over the last second or more."""
        seconds, ended = self._before
        if progress.elapsed_seconds - seconds >= 1:
            self._speed = (progress.ended - ended) / (progress.elapsed_seconds - seconds)
            self._before = (progress.elapsed_seconds, progress.ended)

    def _line(self, progress: RehearsalProgress) -> str:
        return (
            f"{shown(progress.city_at)}  calls {progress.calls:,}  open {progress.open:,}  "
            f"dispatched {progress.dispatched:,}  overdue {progress.overdue:,}  "
            f"escalated {progress.escalated:,}  visited {progress.visited:,}  closed {progress.closed:,}  "
            f"{self._speed:,.0f} lives/s  lag {progress.lag:,}"
        )

    def _table(self, progress: RehearsalProgress) -> Table:
        table = Table(title=self._title, title_justify="left", show_header=False, min_width=64)
        table.add_column(justify="left", style="bold")
        table.add_column(justify="right", min_width=12)
        table.add_column(justify="left", style="bold")
        table.add_column(justify="right", min_width=12)
        minutes, seconds = divmod(int(time.monotonic() - self._began_at), 60)
        rows = (
            ("city time", shown(progress.city_at), "real time", f"{minutes}:{seconds:02}"),
            ("calls", f"{progress.calls:,}", "requests", f"{progress.requests:,}"),
            ("open", f"{progress.open:,}", "answered directly", f"{progress.answered_directly:,}"),
            ("dispatched", f"{progress.dispatched:,}", "overdue", f"[yellow]{progress.overdue:,}[/]"),
            ("visited", f"{progress.visited:,}", "escalated", f"[red]{progress.escalated:,}[/]"),
            ("closed", f"[green]{progress.closed:,}[/]", "reopened", f"{progress.reopened:,}"),
            ("lives/s", f"{self._speed:,.0f}", "lag", f"{progress.lag:,}"),
        )
        for row in rows:
            table.add_row(*row)
        table.caption = f"waiting for {progress.waiting_for}" if progress.waiting_for else ""
        return table
