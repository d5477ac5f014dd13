"""The pages of the knowledge base: a question and the articles that answer it, and an article with all its versions."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.reading import lent
from services.intake.knowledge.base import history, search
from services.intake.knowledge.file import Article
from shared.runtime.errors import UserError

MOST: Final = 20
"""Articles that a question finds at most."""
QUESTION_MAX: Final = 500
"""Characters of a question that are looked at."""
_WRITTEN: Final = "SELECT version, login FROM intake.article WHERE article_id = $1"


class ArticleVersion(NamedTuple):
    """A version, and the login that wrote it."""

    article: Article
    login: str
    holds: bool
    """Agents may answer from it now."""


async def knowledge(ask: PageAsk) -> PageView:
    """The articles that hold now and answer the question, the best first."""
    question = ask.query("q").strip()[:QUESTION_MAX]
    async with lent(ask.rooms.pool) as connection:
        found = await search(connection, question, ask.now, most=MOST) if question else []
    return PageView("knowledge.html", {"question": question, "found": found})


async def article(ask: PageAsk) -> PageView:
    """One article: the version that holds, and its history."""
    article_id = ask.path("article")
    async with lent(ask.rooms.pool) as connection:
        try:
            every = await history(connection, article_id)
        except UserError:
            raise PageRefusal(PageFault.NOT_FOUND) from None
        written = dict(await connection.fetch(_WRITTEN, article_id))
    versions = [ArticleVersion(one, written[one.version] or "", holds(one, ask.now)) for one in every]
    first = next((one for one in versions if one.holds), versions[0])
    return PageView("article.html", {"first": first, "versions": versions})


def holds(one: Article, now: datetime) -> bool:
    """Whether agents may answer from it at this instant."""
    return one.valid_from <= now and (one.withdrawn_at is None or one.withdrawn_at > now)
