"""What strangers type to deceive, and how a test sees that a screen was not deceived."""

from __future__ import annotations

import re
from typing import Any, Final
from unicodedata import category

import msgspec

FORGED: Final = "FORGED-LINE"
"""No line of a screen may begin with it: a text holds it behind each kind of line break."""

HOSTILE: Final = (
    f"暗号\x1b[2J\x1b]0;x\x07\x9b31m[red]r[/red][link=http://x]\u202edenrut\u2066\u200b\u2800\u3164\U000e0041"
    f"\x00\x7f\t\r{FORGED}\r\n{FORGED}\n{FORGED}\x0b{FORGED}\x0c{FORGED}\x1c{FORGED}\x85{FORGED}\u2028{FORGED}"
    f"\u2029{FORGED}"
)
"""Escape sequences, markup, text turned round, what shows nothing, and a line of its own behind every line break."""

BLANKS: Final = (
    " ", "\t", "\n", "\r\n", "\x00", "\x1b", "\x7f", "\x85", "\xa0", "\xad", "\u034f", "\u0301", "\u0378",
    "\u061c", "\u115f", "\u1160", "\u1680", "\u17b4", "\u180e", "\u2003", "\u200b", "\u200d", "\u202e", "\u2028",
    "\u2029", "\u2060", "\u2065", "\u2066", "\u20dd", "\u2800", "\u3000", "\u303f", "\u3164", "\ue000", "\ufe0f",
    "\ufeff", "\uffa0", "\ufff0", "\ufff9", "\ufffc", "\ufffd", "\uffff", "\U0001d159", "\U000e0001", "\U000e0041",
    "\U000e0100", "\U0010ffff", " \u200b\u3000\n\t",
)  # fmt: skip
"""Texts that nobody can read."""

WORDS: Final = (
    "已修复",
    "ok",
    "。",
    "👍",
    "𠀋",
    "\U00031350",
    "é",
    "e\u0301",
    "한",
    "Ж",
    "0",
    "\u200b好",
    "\n. ",
)
"""Texts that show something."""


def hostile(data: msgspec.Struct, text: str = HOSTILE) -> Any:
    """The same structure with this in every text that is no code of ours, such as a field's name, at whatever depth."""
    kept = msgspec.structs.asdict(data)
    made = {name: _hostile(value, text) for name, value in kept.items() if name != "field"}
    return msgspec.structs.replace(data, **made)


def _hostile(value: Any, text: str) -> Any:
    if type(value) is str:  # an enumeration's member is ours
        return value if _is_id(value) else text
    if isinstance(value, tuple):
        return tuple(_hostile(one, text) for one in value)
    if isinstance(value, msgspec.Struct):
        return hostile(value, text)
    return value


def _is_id(value: str) -> bool:
    """A complaint's or a programme's: the log takes no other."""
    return len(value) == 36 and value.count("-") == 4


def deceived(screen: str, *, styled: bool = False) -> list[str]:
    """What on a screen steers it, hides or looks like a line of ours; `styled`: it has colours of our own."""
    if styled:
        screen = _without_colours(screen)
    odd = {
        f"U+{ord(char):04X}" for char in screen if char != "\n" and category(char) in {"Cc", "Cf", "Zl", "Zp"}
    }
    odd |= {f"U+{ord(char):04X}" for char in screen if char in "\u2800\u3164\ufeff" or category(char) == "Cs"}
    return [*sorted(odd), *(line for line in screen.splitlines() if line.startswith(FORGED))]


def _without_colours(screen: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", screen)
