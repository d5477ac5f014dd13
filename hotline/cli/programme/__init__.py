"""`hotline programme`: monthly programmes and project lists, from their candidates to their assessment."""

from __future__ import annotations

import typer

from hotline.cli.programme.ending import assess, close, policy
from hotline.cli.programme.looking import candidates_, list_, show_
from hotline.cli.programme.members import alike, complaints, members_, offer
from hotline.cli.programme.summing import overdue, totals
from hotline.cli.programme.tables import import_, tasks_, update
from hotline.cli.programme.taking_up import adopt, draw_up, item, lead, propose
from hotline.cli.programme.tasks import complete, long_term, progress, reject, review, task, verify

programme = typer.Typer(
    help="Keep monthly programmes and project lists: problems, tasks, evidence, assessment.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
programme.command("candidates")(candidates_)
programme.command()(complaints)
programme.command()(propose)
programme.command("draw-up")(draw_up)
programme.command("import")(import_)
programme.command()(adopt)
programme.command()(item)
programme.command()(lead)
programme.command()(task)
programme.command()(progress)
programme.command()(complete)
programme.command()(verify)
programme.command()(reject)
programme.command("long-term")(long_term)
programme.command()(review)
programme.command()(update)
programme.command()(alike)
programme.command()(offer)
programme.command("members")(members_)
programme.command()(policy)
programme.command()(assess)
programme.command()(close)
programme.command("list")(list_)
programme.command("show")(show_)
programme.command("tasks")(tasks_)
programme.command()(totals)
programme.command()(overdue)
