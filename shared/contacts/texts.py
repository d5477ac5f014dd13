"""Numbers that stood in a citizen's text: a mark stands in the fact, and who may see the contact sees the number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

WHAT: Final = "text"
"""Of what is sealed; a contact is another thing."""


class TextNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number that was taken out of a text, and the mark that stands in its place."""

    field: str
    """The field of the input: title, content, text."""
    mark: str
    """The mark, unique within the input."""
    number: str
    """The number as it was typed."""

    def __repr__(self) -> str:
        """Nothing of it: what is printed or logged by accident tells nobody."""
        return "TextNumber(…)"

    def masked(self) -> TextNumber:
        """The last two digits, whatever its length."""
        return msgspec.structs.replace(self, number="*" * 9 + self.number[-2:])


_decoder: Final = msgspec.json.Decoder(list[TextNumber])


def written(numbers: Sequence[TextNumber]) -> bytes:
    """The numbers of one input as they are sealed."""
    return msgspec.json.encode(numbers)


def numbers_read(plain: bytes) -> list[TextNumber]:
    """The numbers of one input as `written` wrote them."""
    return _decoder.decode(plain)
