"""`hotline`: one line a command, in groups by reader; README has the same groups."""

from __future__ import annotations

from typing import NoReturn

import typer

from hotline.cli.archive import archive
from hotline.cli.arguments import AGENT, DEVELOPER, OPERATOR, REVIEWER, SUPERVISOR, UNIT, CommandLine
from hotline.cli.backtest import backtest
from hotline.cli.backup import backup, restore
from hotline.cli.bench import bench
from hotline.cli.call import call
from hotline.cli.caller import caller
from hotline.cli.calls import calls
from hotline.cli.chaos import chaos
from hotline.cli.city import city
from hotline.cli.contact import contact
from hotline.cli.demo import demo
from hotline.cli.down import down, wipe
from hotline.cli.find import find
from hotline.cli.key import key
from hotline.cli.knowledge import knowledge
from hotline.cli.login import login
from hotline.cli.parked import parked
from hotline.cli.programme import programme
from hotline.cli.rank import rank
from hotline.cli.rebuild import rebuild
from hotline.cli.rehearse import rehearse
from hotline.cli.request import request
from hotline.cli.retention import retention
from hotline.cli.review import review
from hotline.cli.rules import rules
from hotline.cli.run import guarded
from hotline.cli.show import show
from hotline.cli.staff import staff
from hotline.cli.status import status
from hotline.cli.subjects import subjects
from hotline.cli.supervise import supervise
from hotline.cli.supervisor import supervisor
from hotline.cli.trace import trace
from hotline.cli.unit import unit
from hotline.cli.up import up
from hotline.cli.upgrade import upgrade
from hotline.cli.verify import verify
from hotline.cli.visit import visit

app = typer.Typer(
    cls=CommandLine,
    help=(
        "A city hotline: intake, dispatch, escalation and feedback on an event-sourced log.\n\n"
        "HOTLINE_STACK names the folder that holds all data; without it, that is .stack in the current folder. "
        "HOTLINE_DEBUG=1 shows the trace of an error. An integrator reads docs/asyncapi.json."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(rich_help_panel=AGENT)(call)
app.command(rich_help_panel=AGENT)(subjects)
app.add_typer(request, name="request", rich_help_panel=AGENT)
app.add_typer(knowledge, name="knowledge", rich_help_panel=AGENT)
app.add_typer(contact, name="contact", rich_help_panel=AGENT)
app.add_typer(visit, name="visit", rich_help_panel=AGENT)
app.command(rich_help_panel=AGENT)(find)
app.command(rich_help_panel=AGENT)(show)

app.add_typer(unit, name="unit", rich_help_panel=UNIT)
app.add_typer(review, name="review", rich_help_panel=REVIEWER)

app.add_typer(supervise, name="supervise", rich_help_panel=SUPERVISOR)
app.add_typer(calls, name="calls", rich_help_panel=SUPERVISOR)
app.add_typer(caller, name="caller", rich_help_panel=SUPERVISOR)
app.add_typer(rank, name="rank", rich_help_panel=SUPERVISOR)
app.add_typer(programme, name="programme", rich_help_panel=SUPERVISOR)
app.command(rich_help_panel=SUPERVISOR)(rules)

app.add_typer(city, name="city", rich_help_panel=OPERATOR)
app.command(rich_help_panel=OPERATOR)(up)
app.command(rich_help_panel=OPERATOR)(status)
app.add_typer(login, name="login", rich_help_panel=OPERATOR)
app.add_typer(key, name="key", rich_help_panel=OPERATOR)
app.add_typer(staff, name="staff", rich_help_panel=OPERATOR)
app.add_typer(parked, name="parked", rich_help_panel=OPERATOR)
app.command(rich_help_panel=OPERATOR)(trace)
app.command(rich_help_panel=OPERATOR)(verify)
app.command(rich_help_panel=OPERATOR)(upgrade)
app.command(rich_help_panel=OPERATOR)(rebuild)
app.add_typer(archive, name="archive", rich_help_panel=OPERATOR)
app.command(rich_help_panel=OPERATOR)(retention)
app.command(rich_help_panel=OPERATOR)(backup)
app.command(rich_help_panel=OPERATOR)(restore)
app.command(rich_help_panel=OPERATOR)(down)
app.command(rich_help_panel=OPERATOR)(wipe)

app.command(rich_help_panel=DEVELOPER)(demo)
app.add_typer(rehearse, name="rehearse", rich_help_panel=DEVELOPER)
app.add_typer(backtest, name="backtest", rich_help_panel=DEVELOPER)
app.command(rich_help_panel=DEVELOPER)(bench)
app.command(rich_help_panel=DEVELOPER)(chaos)

app.command(hidden=True)(supervisor)


def main() -> NoReturn:
    """Do what was typed."""
    guarded(app)


if __name__ == "__main__":
    main()
