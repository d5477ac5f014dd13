"""The knowledge base that agents answer from (B2): kept by version, searched by words and synonyms.

A version is written once and never changed; that one was withdrawn is written beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from services.intake.knowledge.file import ZONE, Article, KnowledgeInvalid, articles, within
from services.intake.knowledge.ranking import asked, ranked, sought_words
from services.intake.knowledge.words import cut_words, excerpt, words
from shared import times
from shared.log.acts import acting
from shared.runtime.errors import UserError
from shared.text import folded_code
from shared.wording import TextInvalid, look_at

_COLUMNS: Final = (
    "article_id, version, subject, title, body AS text, valid_from, source, withdrawn_at, withdrawn_why"
)
_ADD: Final = "SELECT intake.add_article($1, $2, $3, $4, $5, $6, $7, $8, $9)"
_WITHDRAW: Final = "SELECT intake.withdraw_article($1, $2, $3, $4)"
_SHOW: Final = f"SELECT {_COLUMNS} FROM intake.article_version WHERE article_id = $1 ORDER BY version DESC"  # noqa: S608 -- ours
_LIST: Final = f"SELECT {_COLUMNS} FROM intake.article_version ORDER BY article_id, version"  # noqa: S608 -- ours
# Of an article the latest version that holds: an older one that was not withdrawn would only stand beside it.
_CANDIDATES: Final = f"""
WITH asked AS (
    SELECT string_agg(word::text, ' | ')::tsquery AS words
    FROM (SELECT plainto_tsquery('simple', cut) AS word FROM unnest($1::text[]) AS cut) AS every WHERE numnode(word) > 0
), holding AS (
    SELECT DISTINCT ON (article_id) * FROM intake.article_version
    WHERE valid_from <= $3 AND (withdrawn_at IS NULL OR withdrawn_at > $3)
    ORDER BY article_id, version DESC
)
SELECT {_COLUMNS} FROM holding, asked
WHERE EXISTS (SELECT FROM unnest($2::text[]) AS word WHERE strpos(subject, word) > 0) OR (article_id, version) IN (
    SELECT a.article_id, a.version FROM intake.article a WHERE a.found_by @@ asked.words)
ORDER BY ts_rank(found_by, asked.words) DESC, article_id LIMIT $4
"""  # noqa: S608 -- ours
_EMPTY: Final = "SELECT NOT EXISTS (SELECT FROM intake.article)"

CANDIDATES_MAX: Final = 500
"""Articles of the base that a search looks at closely: those that share most words with the question."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An article that a search found."""

    article: Article
    score: float
    """The share of the question that it has; a little more than 1 where its title has the very words."""
    excerpt: str


async def load(connection: asyncpg.Connection[Any], added: Sequence[Article]) -> tuple[int, int]:
    """Put these into the base, all or none; how many are new, and how many withdrawals.

    Versions that are there stay. Raises `KnowledgeInvalid` where a version that is there says something else.
    """
    new = withdrawn = 0
    async with connection.transaction():
        known = {(a.id, a.version): a for a in await listed(connection)}
        for article in added:
            there = known.get((article.id, article.version))
            if there is None:
                await connection.execute(_ADD, *_row(article, article.version))
                new += 1
            elif (field := _other(there, article)) is not None:
                name = f"{article.id}@{article.version}"
                raise KnowledgeInvalid(
                    f"{name}: {field}: it says something else than in the base, expected a new version"
                )
            if article.withdrawn_at is not None and (there is None or there.withdrawn_at is None):
                await connection.execute(
                    _WITHDRAW, article.id, article.version, article.withdrawn_at, article.withdrawn_why
                )
                withdrawn += 1
    return new, withdrawn


async def load_where_empty(dsn: str) -> None:
    """The example into a base that holds nothing: for cities that are made up as well."""
    async with acting(dsn) as connection:
        if await is_empty(connection):
            await load(connection, articles().articles)


async def add(
    connection: asyncpg.Connection[Any],
    article_id: str,
    *,
    subject: str,
    title: str,
    text: str,
    valid_from: datetime,
    source: str,
) -> Article:
    """A first or a next version of an article; `KnowledgeInvalid` names the field that cannot be."""
    article_id = folded_code(article_id)
    said = {
        "id": article_id,
        "version": 1,
        "subject": subject,
        "title": title,
        "text": text,
        "valid_from": valid_from,
        "source": source,
    }
    try:
        made = look_at(msgspec.convert(said, Article))
    except (msgspec.ValidationError, TextInvalid) as error:
        raise KnowledgeInvalid(f"article: {error}") from error
    within("article", "valid_from", made.valid_from)
    # The number is given out as the version is written, so that nobody else takes it meanwhile.
    return msgspec.structs.replace(made, version=await connection.fetchval(_ADD, *_row(made, None)))


async def withdraw(
    connection: asyncpg.Connection[Any], article_id: str, version: int, at: datetime, reason: str
) -> None:
    """From this instant on nobody may answer from it. `UserError` where it is not there, or withdrawn already."""
    article = await shown(connection, article_id, version)
    if article.withdrawn_at is not None:
        raise UserError(f"{article_id}@{version} was withdrawn at {times.shown(article.withdrawn_at, ZONE)}.")
    await connection.execute(_WITHDRAW, article_id, version, at, reason)


async def search(
    connection: asyncpg.Connection[Any], text: str, at: datetime, *, most: int = 5
) -> list[Found]:
    """The articles that hold at this instant and answer this question, the best first; none where none does."""
    question = asked(text)
    sought = sought_words(question)
    if not sought:
        return []
    rows = await connection.fetch(_CANDIDATES, cut_words(sought), sought, at, CANDIDATES_MAX)
    return [
        Found(article=one.article, score=one.score, excerpt=excerpt(one.article.text, question.said, sought))
        for one in ranked(question, map(_article, rows), most)
    ]


async def is_empty(connection: asyncpg.Connection[Any]) -> bool:
    """Whether the base holds no article at all, not even one that was withdrawn."""
    empty: bool = await connection.fetchval(_EMPTY)
    return empty


async def history(connection: asyncpg.Connection[Any], article_id: str) -> list[Article]:
    """All versions of an article, the latest first; `UserError` where there is none."""
    rows = await connection.fetch(_SHOW, article_id)
    if not rows:
        raise UserError(
            f"The knowledge base has no article '{article_id}': `hotline knowledge list` names them."
        )
    return [_article(row) for row in rows]


async def shown(connection: asyncpg.Connection[Any], article_id: str, version: int) -> Article:
    """One version; `UserError` where it is not there."""
    every = await history(connection, article_id)
    found = next((one for one in every if one.version == version), None)
    if found is None:
        raise UserError(
            f"Article {article_id} has no version {version}, expected one of 1 to {every[0].version}."
        )
    return found


async def listed(connection: asyncpg.Connection[Any]) -> list[Article]:
    """Every version of every article."""
    return [_article(row) for row in await connection.fetch(_LIST)]


def _row(article: Article, version: int | None) -> tuple[object, ...]:
    cut = (" ".join(words(article.title)), " ".join(words(article.text)))
    said = (article.id, version, article.subject, article.title, article.text)
    return (*said, *cut, article.valid_from, article.source)


def _article(row: Any) -> Article:
    return Article(
        id=row["article_id"],
        version=row["version"],
        subject=row["subject"],
        title=row["title"],
        text=row["text"],
        valid_from=row["valid_from"],
        source=row["source"],
        withdrawn_at=row["withdrawn_at"],
        withdrawn_why=row["withdrawn_why"] or "",
    )


def _other(there: Article, told: Article) -> str | None:
    """The first field in which a version told again is another; that it was withdrawn meanwhile is none."""
    for field in ("subject", "title", "text", "source"):
        if getattr(there, field) != getattr(told, field):
            return field
    if there.valid_from != told.valid_from:
        return "valid_from"
    both = told.withdrawn_at is not None and there.withdrawn_at is not None
    return "withdrawn_at" if both and told.withdrawn_at != there.withdrawn_at else None
