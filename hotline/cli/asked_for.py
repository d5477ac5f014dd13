"""The table of what was asked for in a rehearsal: how often, how often granted and how often refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotline.lab.simulation.asked_for import AskedFor


def print_asked_for(found: Mapping[str, AskedFor]) -> None:
    """One line for each kind of wish that somebody had; nothing where nobody had one."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Asked for", title_justify="left")
    table.add_column("", style="bold")
    for column in ("asked", "granted", "refused"):
        table.add_column(column, justify="right")
    for name, one in found.items():
        if one.asked:
            numbers = (f"{number:,}" for number in (one.asked, one.granted, one.refused))
            table.add_row(name.replace("_", " "), *numbers)
    if table.row_count:
        Console().print(table)
