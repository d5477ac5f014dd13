"""`hotline unit`: be a department."""

from __future__ import annotations

import typer

from hotline.cli.unit.listing import desk, list_
from hotline.cli.unit.login import add
from hotline.cli.unit.orders import answer, assign, contact, progress, report, sign
from hotline.cli.unit.requests import dispute, exclude, extend, pause, resume, return_, terminate
from hotline.cli.unit.whistles import acknowledge, arrive, measure, rate, release, whistle

unit = typer.Typer(
    help="Be a department: see your orders, answer them, ask for what you cannot settle alone.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
unit.command("list")(list_)
unit.command()(desk)
unit.command()(sign)
unit.command()(answer)
unit.command()(assign)
unit.command()(contact)
unit.command()(progress)
unit.command()(report)
unit.command("return")(return_)
unit.command()(dispute)
unit.command()(extend)
unit.command()(pause)
unit.command()(resume)
unit.command()(terminate)
unit.command()(exclude)
unit.command()(whistle)
unit.command()(acknowledge)
unit.command()(arrive)
unit.command()(measure)
unit.command()(release)
unit.command()(rate)
unit.command()(add)
