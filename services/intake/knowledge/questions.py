"""Questions with the article that answers each, and how many of them a search answers rightly (B2). Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from services.intake.knowledge.file import KnowledgeInvalid
from shared.text import folded_code, has_words
from shared.text_file import FileUnreadable, quoted, rows_in, text_in, text_of

SHIPPED: Final = ("questions-tuned.csv", "questions-apart.csv")
"""Of the example's articles. By the first the words were tuned; the second was looked at once, afterwards."""
COLUMNS: Final = ("question", "article")
NONE: Final = frozenset({"", "-", "none", "无"})
"""The column of the article holds one of these where no article answers."""
FIRST: Final = 3
"""An agent looks at so many articles at once."""
_EXPECTED: Final = "questions as CSV with the columns question and article"


class Question(msgspec.Struct, frozen=True):
    """A question as a citizen asks it."""

    text: str
    article: str | None
    """The article that answers it; None where none does."""


class SearchedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question, and the articles that a search found for it."""

    question: str
    article: str | None
    found: tuple[str, ...]
    """The best first."""

    def right(self, within: int) -> bool:
        """Whether the right article is among the first so many; where none answers, whether none was found."""
        return not self.found if self.article is None else self.article in self.found[:within]


def share_right(answered: Sequence[SearchedQuestion], within: int) -> float:
    """The share of these questions that are answered rightly."""
    return sum(one.right(within) for one in answered) / len(answered)


def questions(path: str | Path | None, articles: Collection[str]) -> list[Question]:
    """The questions in this file; without one those that ship with the project.

    Raises `KnowledgeInvalid` where it is none, or where it names an article that is none of `articles`.
    """
    try:
        if path is not None:
            return _parsed(text_of(path, _EXPECTED), quoted(path), articles)
        folder = files("shared").joinpath("data/knowledge")
        texts = ((name, text_in(folder.joinpath(name).read_bytes(), name, _EXPECTED)) for name in SHIPPED)
        return [one for name, text in texts for one in _parsed(text, name, articles)]
    except FileUnreadable as error:
        raise KnowledgeInvalid(f"questions: {error}") from None


def _parsed(text: str, name: str, articles: Collection[str]) -> list[Question]:
    made: list[Question] = []
    for number, row in enumerate(rows_in(text, name, COLUMNS, "questions"), start=1):
        asked, article = row["question"].strip(), folded_code(row["article"]).strip().partition("@")[0]
        if not has_words(asked):
            raise KnowledgeInvalid(f"questions: {name}: row {number} asks nothing, expected a question")
        if article.lower() not in NONE and article not in articles:
            raise KnowledgeInvalid(
                f"questions: {name}: row {number}: there is no article '{article}', expected one of the base "
                f"or nothing where none answers"
            )
        made.append(Question(asked, None if article.lower() in NONE else article))
    if not made:
        raise KnowledgeInvalid(f"questions: {name} has no row, expected {_EXPECTED}")
    return made
