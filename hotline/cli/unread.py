"""The last line of a report that met rows it could not read."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Any

from hotline.terminal import note, say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.complaint import Complaint
    from shared.unreadable import UnreadableRows


def none_unread() -> UnreadableRows:
    """An empty count of rows that could not be read, for the beginning of a report."""
    from shared.unreadable import UnreadableRows

    return UnreadableRows()


def tell_unread(unread: UnreadableRows, *, json: bool = False) -> None:
    """Say how many rows could not be read, and which; a program reads standard output, so it is not told there."""
    if unread:
        (note if json else say)(unread.line())


def head_name(case: Complaint) -> str:
    """How a report names the head of a complaint that it cannot show."""
    return f"the head of complaint {case.complaint_id}"


def tell_cases(
    cases: Iterable[Complaint],
    unread: UnreadableRows,
    row: Callable[[Complaint], dict[str, Any]],
    line: Callable[[Complaint], str],
    *,
    nothing: str,
    json: bool,
) -> None:
    """A list of complaints for a person or a program; one that cannot be shown is named at its end."""
    if json:
        say_json(json_module.dumps(unread.each(cases, head_name, row), ensure_ascii=False, indent=2))
    else:
        told = unread.each(cases, head_name, line)
        for text in told if told or unread else [nothing]:
            say(text)
    tell_unread(unread, json=json)
