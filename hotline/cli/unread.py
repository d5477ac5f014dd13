"""The last line of a report that met rows it could not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.terminal import note, say

if TYPE_CHECKING:
    from shared.unreadable import UnreadableRows


def none_unread() -> UnreadableRows:
    """An empty count of rows that could not be read, for the beginning of a report."""
    from shared.unreadable import UnreadableRows

    return UnreadableRows()


def tell_unread(unread: UnreadableRows, *, json: bool = False) -> None:
    """Say how many rows could not be read, and which; a program reads standard output, so it is not told there."""
    if unread:
        (note if json else say)(unread.line())
