"""The group of commands and the options that several of them have; each command registers itself where it stands."""

from __future__ import annotations

from typing import Annotated, Final

import typer

commands: Final = typer.Typer(
    help=(
        "Decide what units cannot settle alone: returns, extensions, pauses, terminations, disputes, co-units, "
        "urgency, exclusions from a score."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)

Reason = Annotated[str, typer.Option(help="Why.")]
ReviewerNamed = Annotated[str, typer.Option("--as", help="The reviewer.")]
REVIEWER: Final = "reviewer"
