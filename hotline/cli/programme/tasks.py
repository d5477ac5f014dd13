"""The tasks of a programme: set, carried on, completed, verified, kept up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hotline.cli.arguments import day as _day
from hotline.cli.programme.options import By, ItemNumber, ProgrammeNamed, TaskNumber, Title
from hotline.cli.programme.recording import one
from hotline.cli.run import Json
from hotline.cli.speaking import speaks

if TYPE_CHECKING:
    pass


_Review = Annotated[str, typer.Option(metavar="DAY", help="When it is looked at next.")]


@speaks
def task(
    programme: ProgrammeNamed,
    item: ItemNumber,
    title: Title,
    owner: Annotated[str, typer.Option(metavar="UNIT", help="The owner of the task.")],
    due: Annotated[str, typer.Option(metavar="DAY", help="The last day in time.")],
    by: By,
    *,
    json: Json = False,
) -> None:
    """Set a task of a problem or project."""
    day = _day(due, "--due")
    one(
        programme,
        by,
        "TaskSet",
        lambda state, city: {
            "item": item,
            "task": len(state.tasks) + 1,
            "title": title,
            "owner": city.unit(owner),
            "due": day,
        },
        json=json,
    )


@speaks
def progress(
    programme: ProgrammeNamed,
    task: TaskNumber,
    text: Annotated[str, typer.Argument()],
    by: By,
    *,
    json: Json = False,
) -> None:
    """Say how far a task is."""
    one(programme, by, "TaskProgressed", lambda *_: {"task": task, "text": text}, json=json)


@speaks
def complete(
    programme: ProgrammeNamed,
    task: TaskNumber,
    evidence: Annotated[str, typer.Option(help="The evidence.")],
    by: By,
    *,
    json: Json = False,
) -> None:
    """Say that a task is done, with what shows it."""
    one(programme, by, "TaskCompleted", lambda *_: {"task": task, "evidence": evidence}, json=json)


@speaks
def verify(programme: ProgrammeNamed, task: TaskNumber, by: By, *, json: Json = False) -> None:
    """Say, as somebody else than the owner, that a task is done."""
    one(programme, by, "TaskVerified", lambda *_: {"task": task}, json=json)


@speaks
def reject(
    programme: ProgrammeNamed,
    task: TaskNumber,
    reason: Annotated[str, typer.Option(help="Why it is not done.")],
    by: By,
    *,
    json: Json = False,
) -> None:
    """Say, as somebody else than the owner, that a task is not done."""
    said = {"task": task, "reason": reason}
    one(programme, by, "CompletionRejected", lambda *_: said, json=json)


@speaks
def long_term(
    programme: ProgrammeNamed,
    task: TaskNumber,
    plan: Annotated[str, typer.Option(help="The plan by which it is kept up.")],
    review: _Review,
    by: By,
    *,
    json: Json = False,
) -> None:
    """Approve a plan for a task that has to be kept up: it is never overdue."""
    said = {"task": task, "plan": plan, "review_on": _day(review, "--review")}
    one(programme, by, "LongTermApproved", lambda *_: said, json=json)


@speaks
def review(
    programme: ProgrammeNamed,
    task: TaskNumber,
    found: Annotated[str, typer.Option(help="The finding of the review.")],
    review: _Review,
    by: By,
    *,
    json: Json = False,
) -> None:
    """Write down that a long-term task was looked at, and when it will be again."""
    said = {"task": task, "found": found, "review_on": _day(review, "--review")}
    one(programme, by, "LongTermReviewed", lambda *_: said, json=json)
