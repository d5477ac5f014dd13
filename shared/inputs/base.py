"""The kinds of field an input may have, and what every input is."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import msgspec

from shared.events.base import (
    Attachment,
)
from shared.rfc3339 import Told
from shared.wording import CODE, IDENTIFIER, NAME, WORDS

_READ: Final = "Words that can be read: blanks and invisible characters alone are refused."
FOLDED: Final = (
    "Compared in one form: compatibility forms, invisible characters and superfluous blanks are folded, and how it was "
    "typed is kept."
)
_WORDS: Final[dict[str, Any]] = {
    "description": _READ,
    "extra_json_schema": {"pattern": r"\S"},
    "extra": WORDS,
}

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=200, **_WORDS)]
"""A text that somebody must be able to read, 1 to 200 characters: a title, the name of a person."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, description=FOLDED, extra=NAME)]
"""A name that is compared with names we know, 1 to 200 characters: a district, a subject, a channel."""
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=200, description=FOLDED, extra=CODE)]
"""The same in small letters: a unit's id, a version, an article."""
Text = Annotated[str, msgspec.Meta(max_length=4000)]
"""Free text, at most 4,000 characters (Open311's own bound for a description); blanks alone count as none."""
Identifier = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=128,
        description="Characters that show, no blank at an end; compared as it stands.",
        extra=IDENTIFIER,
    ),
]
Uuid = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        max_length=36,  # for `$` lets a line break behind it through
    ),
]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Why = Annotated[str, msgspec.Meta(min_length=1, max_length=400, **_WORDS)]
"""A reason that must be given, 1 to 400 characters."""
Evidence = Annotated[str, msgspec.Meta(min_length=1, max_length=4000, **_WORDS)]
"""Evidence, or an account of work done: 1 to 4,000 characters that somebody must be able to read."""


LIMIT: Final = msgspec.Meta(extra={"limit": True})
GivenLimit = Annotated[Told, LIMIT]
"""A time until which something must be done. Its rule set bounds it; every other time tells of what happened, and our
present bounds that (`shared.plausible`)."""


Attachments = Annotated[tuple[Attachment, ...], msgspec.Meta(max_length=20)]


class Input(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A CloudEvent's data; its time is the event's `time`, its identity `source` and `id`.

    An absent field is left out where the data is written, so that a field that comes later changes nobody's
    content.
    """

    TYPE: ClassVar[str]


class AboutComplaint(Input, frozen=True, kw_only=True):
    """An input that names its complaint by the complaint's own number."""

    complaint_id: Uuid
