"""Which articles answer a question, the best first, or none (B2). Pure: the same question, the same answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from services.intake.knowledge.file import Article
from services.intake.knowledge.vocabulary import lexicon, plain
from services.intake.knowledge.words import words

TITLE: Final = 1.0
SUBJECT: Final = 0.8
TEXT: Final = 0.4
"""How much a matter counts by the place where an article names it."""
BOTH: Final = 0.05
"""More for a matter that title and subject name."""
LITERAL: Final = 0.05
"""More for a word that stands in the title as it was asked: it parts articles of one matter."""
LAST: Final = 0.1
"""More for the matter named last: a question comes at the end, behind what led to it."""
WORD: Final = 0.3
"""Weight of a word that the vocabulary does not know."""
UNHEARD: Final = 0.15
"""Weight of one that is in no title and no subject either: it is mostly told by the way."""
FOREIGN: Final = 2.0
"""By this a matter counts more that no article is about: the question is about something else."""
WHOLE: Final = 1.0
"""From this weight on a matter is one that a question can be about."""
HALF: Final = 0.5
"""A lighter matter, such as 申请, says what is to be done: nothing is found by it alone, and it is not the last."""
LEAST: Final = 0.3
"""An article that has less of a question is no answer to it."""
SHARE_LEAST: Final = 0.4
"""Nor is one that has a smaller share of what the question says.

At 0.35 questions about other matters find articles; at 0.45 long questions find none.
"""
KEPT: Final = 4096
"""Articles of which is remembered what they name: a search of a thousand would take half a second otherwise."""


class Ranked(NamedTuple):
    """An article that answers a question."""

    article: Article
    score: float
    """The share of the question that it has; a little more than 1 where its title has the very words."""


class Sought(NamedTuple):
    """A question, as far as it says something."""

    matters: tuple[frozenset[int], ...]
    """Groups of the vocabulary, by where each was named last; where a word may mean several, any of them."""
    known: tuple[str, ...]
    """The words by which it names them."""
    words: tuple[str, ...]
    """Words that the vocabulary does not know."""

    @property
    def said(self) -> tuple[str, ...]:
        """All its words that say something, as they were said."""
        return (*self.known, *self.words)


class _Places(NamedTuple):
    """The places of an article and the matters they name."""

    title: str
    subject: str
    text: str
    titled: frozenset[int]
    filed: frozenset[int]
    told: frozenset[int]


def asked(text: str) -> Sought:
    """The matters and words of this question."""
    known, text = lexicon(), plain(text)
    named = known.named(text)
    matters = [(one.begins, one.groups) for one in named]
    alone = {place for _, groups in matters if len(groups) == 1 for place in groups}
    matters += [(begins, frozenset({place})) for begins, place in known.apart(text) if place not in alone]
    backwards = sorted(matters, key=lambda one: (one[0], sorted(one[1])), reverse=True)
    edges = [0, *(edge for one in named for edge in (one.begins, one.ends)), len(text)]
    between = [text[begins:ends] for begins, ends in list(pairwise(edges))[::2]]
    rest = dict.fromkeys(word for piece in between for word in words(piece) if word not in known.stop)
    long = tuple(word for word in rest if len(word) > 1)
    return Sought(
        matters=tuple(dict.fromkeys(groups for _, groups in backwards))[::-1],
        known=tuple(dict.fromkeys(one.word for one in named)),
        # Single characters say nothing, but for a question that is nothing else.
        words=long or (() if matters else tuple(rest)),
    )


def sought_words(question: Sought) -> list[str]:
    """All words by which an article may name what the question says."""
    every = lexicon().words
    of_matters = (word for groups in question.matters for group in sorted(groups) for word in every[group])
    return list(dict.fromkeys((*question.said, *of_matters)))


def ranked(question: Sought, articles: Iterable[Article], most: int = 5) -> list[Ranked]:
    """The articles that answer this question, the best first; none where none has enough of it."""
    candidates = list(articles)
    whole = _weight(question, candidates)
    if not whole:
        return []
    having = [(_has(question, _places(article)), article) for article in candidates]
    found = [
        Ranked(article, has / whole) for has, article in having if has >= max(LEAST, SHARE_LEAST * whole)
    ]
    return sorted(found, key=lambda one: (-one.score, one.article.id, -one.article.version))[:most]


def _weight(question: Sought, articles: Sequence[Article]) -> float:
    """How much the whole question says."""
    every = [_places(article) for article in articles]
    about = frozenset[int]().union(*(one.titled | one.filed for one in every))
    named = [
        word
        for word in question.words
        if any(_stands(word, one.title) or _stands(word, one.subject) for one in every)
    ]
    total = WORD * len(named) + UNHEARD * (len(question.words) - len(named))
    for groups in question.matters:
        weight = _most(groups)
        total += weight * (FOREIGN if weight >= WHOLE and not groups & about else 1)
    return total


def _has(question: Sought, places: _Places) -> float:
    """How much of the question an article has; nothing where it has only what any matter may have."""
    total, carried = LITERAL * sum(word in places.title for word in question.known), False
    last = next((groups for groups in reversed(question.matters) if _most(groups) >= HALF), None)
    for groups in question.matters:
        has = max(
            _worth(one)
            * _level(titled=one in places.titled, filed=one in places.filed, told=one in places.told)
            for one in groups
        )
        carried |= has > 0 and _most(groups) >= HALF
        total += has * (1 + LAST if groups == last else 1)
    for word in question.words:
        level = _level(
            titled=_stands(word, places.title),
            filed=_stands(word, places.subject),
            told=_stands(word, places.text),
        )
        carried |= level > TEXT
        total += WORD * level
    return total if carried else 0.0


def _stands(word: str, text: str) -> bool:
    """Whether a word stands in a text; a number or a Latin word only as a whole, so that 1 is not in 12345."""
    if not word.isascii():
        return word in text
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text) is not None


def _most(groups: frozenset[int]) -> float:
    return max(map(_worth, groups))


def _worth(group: int) -> float:
    return lexicon().weights[group]


def _level(*, titled: bool, filed: bool, told: bool) -> float:
    if titled:
        return TITLE + (BOTH if filed else 0)
    return SUBJECT if filed else TEXT if told else 0.0


@lru_cache(maxsize=KEPT)
def _places(article: Article) -> _Places:
    # Of the subject the last part: 公共服务 says nothing about the matter.
    title, subject, text = map(plain, (article.title, article.subject.rpartition("/")[2], article.text))
    return _Places(title, subject, text, *map(lexicon().matters, (title, subject, text)))
