"""The group of commands; each command registers itself where it stands."""

from __future__ import annotations

from typing import Final

import typer

commands: Final = typer.Typer(
    help="Be a department: see your orders, answer them, ask for what you cannot settle alone.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
