"""Text that strangers type: whether it holds words, the form in which names are compared, and its form on a terminal.

Pure, and about single texts. `shared.wording` knows the kind of each text of an input.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from unicodedata import category, normalize

FOLDED_KEPT: Final = 8192
"""Names whose folded form is remembered: a city has some hundred subjects, districts, streets and units."""

MARKS_MAX: Final = 4
"""Combining marks shown behind one character; more of them write over the lines above and below."""

_BLANKS: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u303f\u3164\uffa0\U0001d159\U00013441\U00013442"
)
"""Letters, marks and symbols by their category, and yet nothing shows: fillers, joiners, blanks of other scripts."""
_NO_WORDS: Final = _BLANKS | frozenset("\ufffc\ufffd")
"""These show that something is lost; nobody can read it."""
_IGNORED: Final = ((0x2065, 0x2065), (0xFE00, 0xFE0F), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF))
"""Variation selectors, tags, and what Unicode keeps free for more of the kind."""
_IDEOGRAPHS: Final = ((0x20000, 0x2FFFD), (0x30000, 0x3FFFD))
"""Planes that hold Chinese characters alone: a newer Unicode than Python's may know those that have no category."""
# The supplement's radicals have no compatibility form in Unicode, unlike the Kangxi radicals: copied out of a PDF,
# 西 may be one of them. By Unicode's EquivalentUnifiedIdeograph.txt, those that are whole characters.
_RADICALS: Final = str.maketrans(
    {
        "⺟": "母", "⺠": "民", "⺫": "目", "⺼": "肉", "⻁": "虎", "⻄": "西", "⻅": "见", "⻆": "角",
        "⻉": "贝", "⻋": "车", "⻑": "長", "⻓": "长", "⻔": "门", "⻘": "青", "⻙": "韦", "⻚": "页",
        "⻛": "风", "⻜": "飞", "⻢": "马", "⻣": "骨", "⻤": "鬼", "⻥": "鱼", "⻦": "鸟", "⻨": "麦",
        "⻩": "黄", "⻬": "齐", "⻮": "齿", "⻰": "龙", "⻳": "龟",
    }
)  # fmt: skip
_LOWER: Final = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})
_BREAKS: Final = frozenset("\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029")


def _is_ideograph(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _IDEOGRAPHS)


def _is_invisible(char: str) -> bool:
    """Whether nothing of it is seen: controls, formats, fillers, line ends."""
    if char in _BLANKS or any(first <= ord(char) <= last for first, last in _IGNORED):
        return True
    return category(char) in {"Cc", "Cf", "Zl", "Zp"}


def is_hidden(char: str) -> bool:
    """Whether it is invisible, or nobody knows what it shows: no character, half of one, or of private use."""
    if _is_invisible(char):
        return True
    kind = category(char)
    return kind[0] == "C" and not (kind == "Cn" and _is_ideograph(char))


def shows(char: str) -> bool:
    """Whether it shows by itself: no blank, nothing hidden, and no mark that needs another character below it."""
    if "!" <= char <= "~" or "\u4e00" <= char <= "\u9fff":
        return True
    return not is_hidden(char) and char not in _NO_WORDS and category(char)[0] not in "ZM"


def has_words(text: str) -> bool:
    """Whether somebody can read anything in it."""
    # Nearly every text begins with a letter, and every demanded text of every message is looked at.
    return (text > "\u4e00" and text[0] <= "\u9fff") or any(map(shows, text))


def unplain(text: str) -> str | None:
    """The first character that may not stand in an identifier; None where all may.

    Two identifiers that look the same must be the same: nothing hidden, and the usual blank alone, not at an end.
    """
    if not text or text[0] == " " or text[-1] == " ":
        return " "
    if text.isascii() and text.isprintable():
        return None
    odd = next((char for char in text if char != " " and _is_unplain(char)), None)
    return text[0] if odd is None and not has_words(text) else odd


def _is_unplain(char: str) -> bool:
    return is_hidden(char) or char in _NO_WORDS or category(char)[0] == "Z"


@lru_cache(FOLDED_KEPT)
def folded(text: str) -> str:
    """A name in the one form in which names are compared; nobody sees that another one was typed.

    Compatibility forms (full-width letters, Kangxi radicals) become the usual ones. Hidden characters go.
    Blanks of all kinds become one, and none stands at an end. Unknown characters stay: without them it would
    name another thing.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    seen = "".join(char for char in text if char.isspace() or not _is_invisible(char))
    return " ".join(normalize("NFKC", seen).translate(_RADICALS).split())


def folded_code(text: str) -> str:
    """The same of a code, which is written in small letters where it is ASCII."""
    return folded(text).translate(_LOWER)


def quoted(text: str | None) -> str:
    """A text as a sentence quotes it; – for none. It is still to be shown as foreign text is."""
    return f"“{text}”" if text else "–"


def shown(text: str, most: int | None = None) -> str:
    """A text as it may stand in one line of a terminal.

    Characters that steer a terminal, hide or turn round their neighbours are written out, such as <U+202E>; a
    line break is ⏎. So no text can look like a line of ours.

    With `most` it is a part of a longer line: at most so many characters, with … at the end where there were
    more. Many blanks become one, because they would push the rest into the next line.
    """
    if most is None:
        return _plain(text)
    made = " ".join(filter(None, _plain(text[: 4 * most]).split(" ")))
    return made if len(made) <= most and len(text) <= 4 * most else made[: most - 1] + "…"


def _plain(text: str) -> str:
    if text.isprintable() and not any(map(_is_odd, text)):
        return text
    made: list[str] = []
    marks = MARKS_MAX  # a mark at the beginning would be set on what stands before the text
    for char in text.replace("\r\n", "\n"):
        if _is_odd(char) and category(char)[0] == "M" and char not in _BLANKS and marks < MARKS_MAX:
            marks += 1
            made.append(char)
            continue
        marks = 0 if shows(char) else MARKS_MAX
        made.append(_written(char))
    return "".join(made)


def _is_odd(char: str) -> bool:
    """Whether `str.isprintable` lets it through although it may not be shown everywhere."""
    return char > "\u02ff" and (char in _BLANKS or category(char)[0] == "M")


def _written(char: str) -> str:
    if char in _BREAKS:
        return "⏎"
    if char == "\t":
        return "⇥"
    if category(char) == "Zs":
        return " "
    if is_hidden(char) or category(char)[0] == "M":
        return f"<U+{ord(char):04X}>"
    return char


def shown_lines(text: str, indent: str) -> str:
    """A text of several lines: each is shown as one, behind `indent`, which no line of ours begins with."""
    return "\n".join(indent + shown(line) for line in text.splitlines() or [""])
