"""Articles as a file holds them (B2): read, checked, and what each of them says. Pure, but for reading the file."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from shared.text_file import FileUnreadable, text_of
from shared.wording import CODE, NAME, WORDS, look_at

EXAMPLE: Final = "beijing-example-1"
"""The articles that ship with the project; their file says that they are an example."""

ZONE: Final = ZoneInfo("Asia/Shanghai")
"""In which a file's days begin."""

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Between these an article may begin or end to hold."""


class KnowledgeInvalid(ValueError):  # noqa: N818 -- a state of a file, said to a person
    """Articles that cannot be used; the text names the field and what was expected."""


_Short = Annotated[str, msgspec.Meta(min_length=1, max_length=200, extra=WORDS)]


class Article(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of one article."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=100, extra=CODE)]
    version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=200, extra=NAME)]
    title: _Short
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000, extra=WORDS)]
    valid_from: datetime
    """The first instant at which it may be answered from."""
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=400, extra=WORDS)]
    """Its source: a regulation, a notice, a person."""
    withdrawn_at: datetime | None = None
    """The first instant at which it may not any more; None where it was not withdrawn."""
    withdrawn_why: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether an agent may answer from it then."""
        return self.valid_from <= at and (self.withdrawn_at is None or at < self.withdrawn_at)


class Articles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of articles."""

    version: _Short
    example: bool
    """Whether it is made up: nobody should answer citizens from it."""
    articles: tuple[Article, ...]


def instant(said: date) -> datetime:
    """A day's first instant, in Beijing; an instant itself. A time without a zone is Beijing's."""
    if not isinstance(said, datetime):
        said = datetime.combine(said, time())
    return said if said.tzinfo is not None else said.replace(tzinfo=ZONE)


def within(name: str, field: str, at: datetime | None) -> None:
    """`KnowledgeInvalid` for an instant that no article has: a program's zero time, a slip of the hand."""
    if at is not None and not EARLIEST <= at < LATEST:
        raise KnowledgeInvalid(
            f"{name}: {field}: {at.isoformat()}, expected from {EARLIEST:%Y-%m-%d} on and before {LATEST:%Y-%m-%d}"
        )


def parsed(text: str) -> Articles:
    """The articles this TOML holds; `KnowledgeInvalid` names what is wrong."""
    try:
        made = look_at(msgspec.convert(_timed(tomllib.loads(text)), Articles))
    except ValueError as error:
        raise KnowledgeInvalid(f"knowledge: {error}") from error
    seen: set[tuple[str, int]] = set()
    for article in made.articles:
        name = f"{article.id}@{article.version}"
        if (article.id, article.version) in seen:
            raise KnowledgeInvalid(f"knowledge: {name} stands there twice, expected each version once")
        seen.add((article.id, article.version))
        within(f"knowledge: {name}", "valid_from", article.valid_from)
        within(f"knowledge: {name}", "withdrawn_at", article.withdrawn_at)
        if article.withdrawn_at is not None and article.withdrawn_at <= article.valid_from:
            raise KnowledgeInvalid(f"knowledge: {name}: withdrawn_at: expected a time after valid_from")
    return made


def _timed(raw: dict[str, Any]) -> dict[str, Any]:
    """The same with each day as its first instant; whatever else is wrong is found by who takes it."""
    every = raw.get("articles")
    for one in every if isinstance(every, list) else ():
        for field in ("valid_from", "withdrawn_at"):
            if isinstance(one, dict) and isinstance(one.get(field), date):
                one[field] = instant(one[field])
    return raw


@cache
def articles(path: str = "") -> Articles:
    """The articles in this file; without a path the example that ships with the project."""
    if path:
        try:
            return parsed(text_of(path, "articles as TOML"))
        except FileUnreadable as error:
            raise KnowledgeInvalid(f"knowledge: {error}") from None
    return parsed(files("shared").joinpath(f"data/knowledge/{EXAMPLE}.toml").read_text(encoding="utf-8"))
