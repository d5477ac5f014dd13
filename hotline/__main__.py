"""`hotline`: one line a subcommand."""

from __future__ import annotations

import typer

from hotline.commands.bench import bench
from hotline.commands.call import call
from hotline.commands.demo import demo
from hotline.commands.parked import parked
from hotline.commands.replay import replay
from hotline.commands.show import show
from hotline.commands.stack import down, status, up, wipe
from hotline.commands.supervise import supervise
from hotline.commands.unit import unit
from hotline.commands.verify import verify

app = typer.Typer(
    help="A city hotline: intake, dispatch, escalation and feedback on an event-sourced log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(demo)
app.command()(up)
app.command()(status)
app.command()(call)
app.command()(unit)
app.command()(show)
app.command()(verify)
app.add_typer(parked, name="parked")
app.add_typer(replay, name="replay")
app.command()(bench)
app.command()(down)
app.command()(wipe)
app.command(hidden=True)(supervise)


def main() -> None:
    """Do what was typed."""
    app()


if __name__ == "__main__":
    main()
