"""Commands that no life can answer with a fact: their messages are set aside by themselves."""

from __future__ import annotations

from collections.abc import Sequence


class NotTakenUp(Exception):  # noqa: N818 -- a message to set aside, not our failure
    """A command that no life can answer with a fact; its message is parked by itself, and no other waits behind it."""


class NoSuchComplaint(NotTakenUp):
    """A command about a complaint that is not on record."""

    def __init__(self, complaint_id: str, named: str = "") -> None:
        """The complaint nobody knows; `named`: by which field it was, where the message does not name it itself."""
        super().__init__(f"{named}complaint {complaint_id} is not on record")


class OnRecordOtherwise(NotTakenUp):
    """A request whose number is on record already, and which says something else: another citizen's, most likely."""

    def __init__(self, differing: Sequence[str]) -> None:
        """The fields that differ."""
        super().__init__(
            f"data: request_id: is on record already and says something else ({', '.join(differing)}). "
            "Send another matter under a request_id of its own, and what was recorded wrongly as a correction"
        )
