"""Names an unaccepted character for a person who may not see it on his screen, and says why it is not accepted."""

from __future__ import annotations

import unicodedata
from typing import Final

_WHY: Final = {
    "Cc": "it moves the cursor or the line and prints nothing",
    "Cf": "it is invisible",
    "Cs": "it is half of a character",
    "Co": "it is private: each system shows another character for it",
    "Cn": "Unicode has no such character as this system knows it",
    "Zl": "it ends a line",
    "Zp": "it ends a paragraph",
    "Zs": "it is a blank of a special width: a plain one is taken",
}


def named(character: str) -> str:
    """Its number, and its name where it has one: `U+200B (ZERO WIDTH SPACE)`."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X} ({name})" if name else f"U+{ord(character):04X}"


def first_unprintable(text: str) -> str | None:
    """Which character of a text does not print, where it stands, and why it is not taken; None where all print."""
    for place, character in enumerate(text, start=1):
        if not character.isprintable():
            why = _WHY.get(unicodedata.category(character), "it does not print")
            return f"character {place} is {named(character)}: {why}"
    return None
