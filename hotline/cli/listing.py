"""The common part of commands that list: which page, which part, and how far the lists are."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from hotline.cli.run import one_of
from hotline.cli.unread import tell_unread
from hotline.terminal import note, say, say_json, say_lines

if TYPE_CHECKING:
    from hotline.casefile.orders import ListPage
    from hotline.readside.lists import Filter, Listed

LISTED: Final = 200
"""Rows of a page where nothing else is asked for."""

Limit = Annotated[int, typer.Option(min=1, max=999, help="So many at most.")]
After = Annotated[
    str, typer.Option(metavar="PLACE", help="Go on behind this place, which the page before named.")
]
Subject = Annotated[str, typer.Option(help="Only of this subject.")]
District = Annotated[str, typer.Option(help="Only of this district.")]
UrgencyOnly = Annotated[
    str, typer.Option("--urgency", help="Only of CRITICAL_2H, TIMELY_24H, GENERAL_7D or COMPLEX_15D.")
]
Overdue = Annotated[bool, typer.Option("--overdue", help="Only those whose limit has passed.")]

Content = Annotated[bool, typer.Option("--content", help="Show the whole matter below each.")]


def of_urgency(urgency: str, only: Filter) -> Filter:
    """The filter, of this urgency alone; of all where it is empty. Ends the command where there is no such urgency."""
    from shared.events import Urgency

    if urgency:
        one_of("--urgency", urgency, list(Urgency))
    return only._replace(urgency=urgency)


def tell_listed(
    looked: ListPage,
    row: Callable[[Listed], dict[str, Any]],
    line: Callable[[Listed], str],
    *,
    nothing: str,
    json: bool,
    below: Callable[[Listed], str] = lambda _: "",
) -> None:
    """A page for a person or a program; how far the lists are stands behind it, beside what a program reads.

    `below`: texts of others that a person reads under a line.
    """
    if json:
        say_json(json_module.dumps([row(one) for one in looked.rows], ensure_ascii=False, indent=2))
    else:
        for one in looked.rows:
            say(line(one))
            if text := below(one):
                say_lines(text)
        if not looked.rows and not looked.unread:
            say(nothing)
    tell = note if json else say
    if looked.more:
        tell(f"There are more: --after {looked.more}")
    tell(looked.as_of.line())
    tell_unread(looked.unread, json=json)
