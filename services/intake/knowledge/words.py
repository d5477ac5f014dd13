"""The words of a text, cut for Chinese, so that full text search finds them (B2).

The dictionary takes a second to load. Only what adds articles or searches cuts words, and no service needs it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from platformdirs import user_cache_path

from shared.text import folded

if TYPE_CHECKING:
    from jieba import Tokenizer

EXCERPT: Final = 60
"""Characters of an article's text shown where it is found."""
_BEFORE: Final = 12
"""Of these, how many before the first word that was searched."""
CUT_KEPT: Final = 8192
"""Words that are remembered with what they are cut into: the vocabulary has some three thousand."""


@cache
def _tokenizer() -> Tokenizer:
    """The library's own dictionary, kept where only this user may write: by default it is read from /tmp, unsafely."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # escapes of an older Python in its source
        import jieba  # noqa: PLC0415 -- its dictionary takes a second to load
    jieba.setLogLevel("WARNING")
    made = jieba.Tokenizer()
    folder = user_cache_path("hotline") / "jieba"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made.tmp_dir = str(folder)
    return made


def words(text: str) -> list[str]:
    """The words of a text, long ones with the short ones in them; marks are none."""
    return [
        word for word in _tokenizer().cut_for_search(folded(text).lower()) if any(c.isalnum() for c in word)
    ]


def cut_words(every: Iterable[str]) -> list[str]:
    """All these words, cut as the words of a text are; single characters only where there is nothing else."""
    cut = list(dict.fromkeys(piece for word in every for piece in _cut(word)))
    return [word for word in cut if len(word) > 1] or cut


@lru_cache(maxsize=CUT_KEPT)
def _cut(word: str) -> tuple[str, ...]:
    return tuple(words(word))


def excerpt(text: str, *sought: Iterable[str]) -> str:
    """A stretch of the text around the first word that was sought; its beginning where none is in it.

    Words of a later list are looked for where the text has none of those before.
    """
    # A character may be several in the form that is searched, such as ㎡; so each knows where it stands.
    pieces = [folded(char).lower() or " " for char in text]
    begins = [place for place, piece in enumerate(pieces) for _ in piece]
    searched = "".join(pieces)
    places = ([searched.find(word) for word in these] for these in sought)
    first = next((min(there) for every in places if (there := [at for at in every if at >= 0])), None)
    start = 0 if first is None else max(0, begins[first] - _BEFORE)
    shown = text[start : start + EXCERPT]
    return f"{'…' if start else ''}{shown}{'…' if start + EXCERPT < len(text) else ''}"
