"""`hotline`: one line a subcommand, in the order of a first day."""

from __future__ import annotations

from typing import NoReturn

import typer

from hotline.cli.archive import archive
from hotline.cli.arguments import Line
from hotline.cli.backtest import backtest
from hotline.cli.backup import backup, restore
from hotline.cli.bench import bench
from hotline.cli.call import call
from hotline.cli.calls import calls
from hotline.cli.chaos import chaos
from hotline.cli.contact import contact
from hotline.cli.demo import demo
from hotline.cli.down import down, wipe
from hotline.cli.knowledge import knowledge
from hotline.cli.parked import parked
from hotline.cli.programme import programme
from hotline.cli.rank import rank
from hotline.cli.rebuild import rebuild
from hotline.cli.rehearse import rehearse
from hotline.cli.request import request
from hotline.cli.review import review
from hotline.cli.rules import rules
from hotline.cli.run import guarded
from hotline.cli.show import show
from hotline.cli.status import status
from hotline.cli.supervise import supervise
from hotline.cli.unit import unit
from hotline.cli.up import up
from hotline.cli.verify import verify

app = typer.Typer(
    cls=Line,
    help=(
        "A city hotline: intake, dispatch, escalation and feedback on an event-sourced log.\n\n"
        "Everything it keeps lies in the folder HOTLINE_STACK names, else in .stack where you are. "
        "HOTLINE_DEBUG=1 shows the trace of an error."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(up)
app.command()(status)
app.command()(call)
app.add_typer(calls, name="calls")
app.add_typer(request, name="request")
app.add_typer(unit, name="unit")
app.add_typer(review, name="review")
app.add_typer(knowledge, name="knowledge")
app.add_typer(contact, name="contact")
app.command()(show)
app.add_typer(rank, name="rank")
app.add_typer(programme, name="programme")
app.command()(verify)
app.command()(rules)
app.command()(rebuild)
app.add_typer(archive, name="archive")
app.command()(backup)
app.command()(restore)
app.add_typer(parked, name="parked")
app.add_typer(backtest, name="backtest")
app.add_typer(rehearse, name="rehearse")
app.command()(bench)
app.command()(chaos)
app.command()(down)
app.command()(wipe)
app.command(hidden=True)(supervise)


def main() -> NoReturn:
    """Do what was typed."""
    guarded(app)


if __name__ == "__main__":
    main()
