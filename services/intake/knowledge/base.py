"""The knowledge base that agents answer from (B2): kept by version, found by full text over words cut for Chinese.

A version is written once and never changed; that one was withdrawn is written beside it. Only what adds articles or
searches cuts words: the dictionary takes a second to load, and no service needs it.
"""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from platformdirs import user_cache_path

from shared import times
from shared.runtime.errors import UserError
from shared.text import folded, folded_code
from shared.text_file import FileUnreadable, text_of
from shared.wording import CODE, NAME, WORDS, TextInvalid, look_at

if TYPE_CHECKING:
    from jieba import Tokenizer

EXAMPLE: Final = "beijing-example-1"
"""The articles that ship with the project; their file says that they are an example."""

ZONE: Final = ZoneInfo("Asia/Shanghai")
"""In which a file's days begin."""

EXCERPT: Final = 60
"""Characters of an article's text shown where it is found."""
_BEFORE: Final = 12
"""Of these, how many before the first word that was searched."""

_COLUMNS: Final = (
    "article_id, version, subject, title, body AS text, valid_from, source, withdrawn_at, withdrawn_why"
)
_INSERT: Final = """
INSERT INTO intake.article
    (article_id, version, subject, title, body, title_words, body_words, valid_from, source)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_WITHDRAW: Final = "INSERT INTO intake.article_withdrawn VALUES ($1, $2, $3, $4)"
_SHOW: Final = f"SELECT {_COLUMNS} FROM intake.article_version WHERE article_id = $1 ORDER BY version DESC"  # noqa: S608 -- ours
_LIST: Final = f"SELECT {_COLUMNS} FROM intake.article_version ORDER BY article_id, version"  # noqa: S608 -- ours
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Between these an article may begin or end to hold."""
_LATEST: Final = "SELECT coalesce(max(version), 0) FROM intake.article WHERE article_id = $1"
# Of an article the latest version that holds: an older one that was not withdrawn would only stand beside it.
_SEARCH: Final = f"""
WITH asked AS (
    SELECT string_agg(phraseto_tsquery('simple', word)::text, ' | ')::tsquery AS words FROM unnest($1::text[]) AS word
), holding AS (
    SELECT DISTINCT ON (article_id) * FROM intake.article_version
    WHERE valid_from <= $2 AND (withdrawn_at IS NULL OR withdrawn_at > $2)
    ORDER BY article_id, version DESC
)
SELECT {_COLUMNS}, ts_rank(found_by, asked.words) AS rank FROM holding, asked
WHERE (article_id, version) IN (SELECT a.article_id, a.version FROM intake.article a WHERE a.found_by @@ asked.words)
ORDER BY rank DESC, article_id LIMIT $3
"""  # noqa: S608 -- ours


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
    """What it stands on: a regulation, a notice, whoever wrote it."""
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


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An article that a search found."""

    article: Article
    rank: float
    """How well, by PostgreSQL's ts_rank: only good for comparing within one search."""
    excerpt: str


def instant(said: date) -> datetime:
    """A day's first instant, in Beijing; an instant itself. A time without a zone is Beijing's."""
    if not isinstance(said, datetime):
        said = datetime.combine(said, time())
    return said if said.tzinfo is not None else said.replace(tzinfo=ZONE)


def _within(name: str, field: str, at: datetime | None) -> None:
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
        _within(f"knowledge: {name}", "valid_from", article.valid_from)
        _within(f"knowledge: {name}", "withdrawn_at", article.withdrawn_at)
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


# -- words


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


def asked(text: str) -> list[str]:
    """The words to look for: single characters, such as 的 and 吗, only where there is nothing else."""
    every = list(dict.fromkeys(words(text)))
    return [word for word in every if len(word) > 1] or every


def excerpt(text: str, sought: Iterable[str]) -> str:
    """A stretch of the text around the first word that was sought; its beginning where none is in it."""
    # A character may be several in the form that is searched, such as ㎡; so each knows where it stands.
    pieces = [folded(char).lower() or " " for char in text]
    begins = [place for place, piece in enumerate(pieces) for _ in piece]
    searched = "".join(pieces)
    at = min((begins[place] for word in sought if (place := searched.find(word)) >= 0), default=0)
    start = max(0, at - _BEFORE)
    shown = text[start : start + EXCERPT]
    return f"{'…' if start else ''}{shown}{'…' if start + EXCERPT < len(text) else ''}"


# -- the base


async def load(connection: asyncpg.Connection[Any], added: Sequence[Article]) -> tuple[int, int]:
    """Put these into the base, all or none; how many are new, and how many withdrawals.

    What is there already stays. Raises `KnowledgeInvalid` where a version that is there says something else.
    """
    new = withdrawn = 0
    async with connection.transaction():
        known = {(a.id, a.version): a for a in await listed(connection)}
        for article in added:
            there = known.get((article.id, article.version))
            if there is None:
                await connection.execute(_INSERT, *_row(article))
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
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM intake.article)"):
            await load(connection, articles().articles)
    finally:
        await connection.close()


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
    async with connection.transaction():
        await connection.execute("LOCK TABLE intake.article IN SHARE ROW EXCLUSIVE MODE")
        version = 1 + await connection.fetchval(_LATEST, article_id)
        said = {
            "id": article_id,
            "version": version,
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
        _within("article", "valid_from", made.valid_from)
        await connection.execute(_INSERT, *_row(made))
    return made


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
    """The articles that hold at this instant and have a word of this text, the best first."""
    sought = asked(text)
    rows = await connection.fetch(_SEARCH, sought, at, most) if sought else []
    return [
        Found(article=(one := _article(row)), rank=row["rank"], excerpt=excerpt(one.text, sought))
        for row in rows
    ]


async def history(connection: asyncpg.Connection[Any], article_id: str) -> list[Article]:
    """All versions of an article, the latest first; `UserError` where there is none."""
    rows = await connection.fetch(_SHOW, article_id)
    if not rows:
        raise UserError(
            f"The knowledge base has no article {article_id!r}: `hotline knowledge list` names them."
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


def _row(article: Article) -> tuple[object, ...]:
    cut = (" ".join(words(article.title)), " ".join(words(article.text)))
    said = (article.id, article.version, article.subject, article.title, article.text)
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
