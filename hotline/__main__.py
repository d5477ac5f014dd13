"""`hotline`: one line a subcommand, in the order of a first day."""

from __future__ import annotations

from typing import NoReturn

import typer

from hotline.arguments import Line
from hotline.commands.archive import archive
from hotline.commands.backup import backup, restore
from hotline.commands.bench import bench
from hotline.commands.call import call
from hotline.commands.calls import calls
from hotline.commands.chaos import chaos
from hotline.commands.contact import contact
from hotline.commands.demo import demo
from hotline.commands.down import down, wipe
from hotline.commands.knowledge import knowledge
from hotline.commands.parked import parked
from hotline.commands.rank import rank
from hotline.commands.rebuild import rebuild
from hotline.commands.rehearse import rehearse
from hotline.commands.replay import replay
from hotline.commands.request import request
from hotline.commands.review import review
from hotline.commands.rules import rules
from hotline.commands.run import guarded
from hotline.commands.show import show
from hotline.commands.status import status
from hotline.commands.supervise import supervise
from hotline.commands.topic import topic
from hotline.commands.unit import unit
from hotline.commands.up import up
from hotline.commands.verify import verify

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
app.command()(calls)
app.add_typer(request, name="request")
app.command()(unit)
app.add_typer(review, name="review")
app.add_typer(knowledge, name="knowledge")
app.add_typer(contact, name="contact")
app.command()(show)
app.command()(rank)
app.add_typer(topic, name="topic")
app.command()(verify)
app.command()(rules)
app.command()(rebuild)
app.add_typer(archive, name="archive")
app.command()(backup)
app.command()(restore)
app.add_typer(parked, name="parked")
app.add_typer(replay, name="replay")
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
