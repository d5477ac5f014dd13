"""By which words a complaint is found: pairs of characters, words in Latin letters, its subject and place. Pure.

Chinese has no blanks between words, and PostgreSQL's trigrams find nothing in it. Two characters beside each other are
a word, or the border of two. A text that holds all pairs of another one nearly always holds it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final

from shared.text import folded_code

WORDS_MAX: Final = 60
"""Words of a title that are kept. One of 30 characters has 29 pairs."""
WORD_LENGTH_MAX: Final = 40
"""Characters of one word in Latin letters that are kept."""

_RUN: Final = re.compile(r"[0-9A-Za-z]+|[^\W_0-9A-Za-z]+")
NAMED_KEPT: Final = 8192
"""Subjects with their places whose words are remembered: a city has some thousand."""


def words_in(text: str) -> list[str]:
    """The words of a text in the one form in which they are compared, each once, in order."""
    words: list[str] = []
    for run in _RUN.findall(folded_code(text)):
        if len(run) == 1 or run.isascii():
            words.append(run[:WORD_LENGTH_MAX].lower())
        else:
            words += map("".join, pairwise(run))
    return list(dict.fromkeys(words))[:WORDS_MAX]


@lru_cache(NAMED_KEPT)
def named(subject: str = "", district: str = "", street: str = "") -> list[str]:
    """Subject and place as words: no title has them, for its words hold no colon."""
    return [
        f"{kind}:{folded_code(name)}"
        for kind, name in (("s", subject), ("d", district), ("t", street))
        if name
    ]


def month_of(received_at: datetime) -> str:
    """The month that stands before every word of a complaint, so that the index of a word goes by months."""
    at = received_at.astimezone(UTC)
    return f"{at.year % 100:02}{at.month:02}"
