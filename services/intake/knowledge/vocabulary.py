"""Stop words and synonyms as a file holds them (B2), and the matters that a text names by them. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, NamedTuple

import msgspec

from shared.text import folded

VOCABULARY: Final = "words-beijing-1"
"""The file that ships with the project."""

GAP: Final = "…"
"""Stands between the parts of a word that may stand apart."""
GAP_MAX: Final = 5
"""Characters between those parts at most: 挂一个专家号 has five."""

_Words = Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1)], ...], msgspec.Meta(min_length=1)]


class Synonyms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words that mean the same to a search."""

    words: _Words
    weight: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """How much they say about the matter of a question."""
    apart: tuple[Annotated[str, msgspec.Meta(pattern=f"^[^{GAP}]+{GAP}[^{GAP}]+$")], ...] = ()
    """Words whose two parts may stand apart, such as 挂…号."""


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of words."""

    version: str
    as_of: date
    basis: str
    """On what it stands."""
    stop: _Words
    """Words that say nothing about the matter."""
    synonyms: tuple[Synonyms, ...]


class Named(NamedTuple):
    """A word of the vocabulary that stands in a text."""

    word: str
    groups: frozenset[int]
    """The groups it may mean; each is a place in `Vocabulary.synonyms`."""
    begins: int
    ends: int


class Lexicon:
    """A vocabulary made ready to look for its words."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Its words by their first characters."""
        self.stop: Final = frozenset(plain(word) for word in vocabulary.stop)
        self.weights: Final = tuple(group.weight for group in vocabulary.synonyms)
        self.words: Final = tuple(tuple(map(plain, group.words)) for group in vocabulary.synonyms)
        groups: dict[str, set[int]] = {}
        for place, words in enumerate(self.words):
            for word in words:
                groups.setdefault(word, set()).add(place)
        self._groups: Final[Mapping[str, frozenset[int]]] = {
            word: frozenset(places) for word, places in groups.items()
        }
        begin: dict[str, list[str]] = {}
        for word in sorted(groups, key=len, reverse=True):
            begin.setdefault(word[:2], []).append(word)
        self._begin: Final[Mapping[str, list[str]]] = begin
        self._apart: Final = tuple(
            (place, re.compile("|".join(map(_pattern, group.apart))))
            for place, group in enumerate(vocabulary.synonyms)
            if group.apart
        )

    def named(self, text: str) -> list[Named]:
        """The words of the vocabulary in a text that is `plain`, the longest at each place; none overlaps."""
        found: list[Named] = []
        at = 0
        while at < len(text):
            word = next(self._at(text, at), None)
            if word is None:
                at += 1
                continue
            found.append(Named(word, self._groups[word], at, at + len(word)))
            at += len(word)
        return found

    def apart(self, text: str) -> list[tuple[int, int]]:
        """The groups of which a word stands in a text that is `plain`, its parts apart; each with where it begins."""
        return [(found.start(), place) for place, pattern in self._apart if (found := pattern.search(text))]

    def matters(self, text: str) -> frozenset[int]:
        """The groups of all words in a text that is `plain`, of those within a longer one too."""
        return frozenset(
            place for at in range(len(text)) for word in self._at(text, at) for place in self._groups[word]
        )

    def _at(self, text: str, at: int) -> Iterator[str]:
        """The words that stand at this place, the longest first. By two characters: hundreds begin with one."""
        for begin in (text[at : at + 2], text[at]):
            for word in self._begin.get(begin, ()):
                if text.startswith(word, at):
                    yield word
            if len(begin) == 1:
                return


def _pattern(apart: str) -> str:
    first, second = (re.escape(plain(part)) for part in apart.split(GAP))
    return f"{first}.{{0,{GAP_MAX}}}{second}"


def plain(text: str) -> str:
    """A text in the form in which words are looked for."""
    return folded(text).lower()


@cache
def lexicon() -> Lexicon:
    """The vocabulary that ships with the project."""
    text = files("shared").joinpath(f"data/knowledge/{VOCABULARY}.toml").read_text(encoding="utf-8")
    return Lexicon(msgspec.convert(tomllib.loads(text), Vocabulary))
