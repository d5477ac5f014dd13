"""`hotline knowledge`: the articles agents answer from, by version."""

from __future__ import annotations

import json as json_module
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from hotline.cli.arguments import instant
from hotline.cli.asking import AsIs, settled
from hotline.cli.run import Json, answer, demand_words, fail, run
from hotline.cli.unread import none_unread, tell_unread
from hotline.terminal import note, say, say_json, say_lines
from shared.text import folded_code

if TYPE_CHECKING:
    import asyncpg

    from services.intake.knowledge.base import Found
    from services.intake.knowledge.file import Article

T = TypeVar("T")
GENERAL: Final = "综合"
"""The subject of an article that answers for no subject of the catalogue."""
EMPTY: Final = "The knowledge base is empty: `hotline knowledge load FILE` fills it."

knowledge = typer.Typer(
    help="The articles agents answer from, by version: find one, add, withdraw.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Named = Annotated[str, typer.Argument(metavar="ID[@VERSION]", help="Such as kb-0304 or kb-0304@1.")]


@knowledge.command()
def load(
    file: Annotated[
        Path | None,
        typer.Argument(help="A file of articles; without one the example's.", exists=True, dir_okay=False),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Put a file of articles into the base; what is there already stays as it is."""
    from services.intake.knowledge.base import load as load_articles
    from services.intake.knowledge.file import KnowledgeInvalid, articles

    try:
        told = articles("" if file is None else str(file))
        new, withdrawn = run(_on_base(lambda base: load_articles(base, told.articles), writes=True))
    except KnowledgeInvalid as error:
        fail(f"{error}.")
    kind = " of an example, from which no citizen should be answered" if told.example else ""
    there = len(told.articles) - new
    answer(
        f"{new} versions added{kind}, {withdrawn} withdrawn; {there} were there already.",
        json=json,
        added=new,
        withdrawn=withdrawn,
        there_already=there,
        example=told.example,
    )


@knowledge.command()
def search(
    text: Annotated[str, typer.Argument(help="The question, in the citizen's words.")],
    most: Annotated[int, typer.Option(help="How many at most.", min=1, max=100)] = 5,
    *,
    json: Json = False,
) -> None:
    """Find the articles that hold now and answer the question, the best first.

    Beside each stands the share of the question that it has. Where no article answers it, none is shown.
    """
    found, empty = run(_search(text, most))
    if json:
        rows = [{**_row(one.article), "score": one.score, "excerpt": one.excerpt} for one in found]
        say_json(json_module.dumps(rows, ensure_ascii=False, indent=2))
        if empty:
            note(EMPTY)
        return
    if empty:
        say(EMPTY)
    elif not found:
        say("No article that holds now answers it.")
    for one in found:
        say(f"{_name(one.article)}  {one.article.title}  ({one.score:.2f})")
        say(f"    {one.excerpt}")


@knowledge.command()
def show(named: _Named, *, json: Json = False) -> None:
    """Show one version, the latest where none is named, and the article's history."""
    from services.intake.knowledge.base import history, shown

    article_id, version = _named(named)

    async def read(base: asyncpg.Connection[Any]) -> tuple[Article, list[Article]]:
        every = await history(base, article_id)
        return (every[0] if version is None else await shown(base, article_id, version)), every

    one, every = run(_on_base(read))
    if json:
        told = {**_row(one), "text": one.text, "history": [_row(other) for other in every]}
        say_json(json_module.dumps(told, ensure_ascii=False, indent=2))
        return
    say(f"{_name(one)}  {one.title}  ({one.subject})")
    say_lines(one.text)
    say(f"Source: {one.source}")
    for other in every:
        say(f"  {_line(other)}")


@knowledge.command("list")
def list_(*, json: Json = False) -> None:
    """Every version of every article."""
    from services.intake.knowledge.base import listed

    unread = none_unread()
    every = run(_on_base(listed))
    if json:
        say_json(json_module.dumps(unread.each(every, _name, _row), ensure_ascii=False, indent=2))
    elif not every:
        say(f"{EMPTY} Until then no answer on the spot is checked.")
    else:
        for text in unread.each(every, _name, _line):
            say(text)
    tell_unread(unread, json=json)


@knowledge.command()
def add(
    article: Annotated[
        str, typer.Argument(metavar="ID", help="A new one, or one that gets its next version.")
    ],
    title: Annotated[str, typer.Option(help="The question it answers.")],
    text: Annotated[str, typer.Option(help="The answer.")],
    source: Annotated[str, typer.Option(help="The source it stands on.")],
    subject: Annotated[str, typer.Option(help=f"As in the catalogue; {GENERAL} is none of them.")] = GENERAL,
    valid_from: Annotated[
        str, typer.Option("--from", help="A day or an instant, such as 2026-01-01; now where it is left out.")
    ] = "",
    *,
    as_is: AsIs = False,
    json: Json = False,
) -> None:
    """Add an article or its next version; the ones before hold until they are withdrawn."""
    from deploy.city.registry import city_up
    from services.intake.knowledge.base import add as add_article
    from services.intake.knowledge.file import KnowledgeInvalid
    from shared.policy.catalogue import catalogue

    if subject != GENERAL:
        known = catalogue(city_up().catalogue)
        subject = settled(known, subject, None, None, as_is=as_is)["subject"] or subject
    since = _instant(valid_from, "--from")

    async def added(base: asyncpg.Connection[Any]) -> Article:
        return await add_article(
            base,
            article,
            subject=subject,
            title=title,
            text=text,
            valid_from=since or await _now(),
            source=source,
        )

    try:
        one = run(_on_base(added, writes=True))
    except KnowledgeInvalid as error:
        fail(f"{error}.", code=2)
    if json:
        say_json(json_module.dumps(_row(one), ensure_ascii=False))
    else:
        say(_line(one))


@knowledge.command()
def withdraw(
    named: Annotated[str, typer.Argument(metavar="ID@VERSION", help="Such as kb-0304@1.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    at: Annotated[
        str, typer.Option(help="A day or an instant, such as 2026-01-01; now where it is left out.")
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Withdraw a version: from then on no answer from it is taken. Intake hears of it within half a minute."""
    from services.intake.knowledge.base import withdraw as withdraw_version
    from services.intake.knowledge.file import ZONE
    from shared.times import shown

    article_id, version = named_version(named)
    demand_words("--reason", reason)
    told = _instant(at, "--at")

    async def withdrawn(base: asyncpg.Connection[Any]) -> datetime:
        until = told or await _now()
        await withdraw_version(base, article_id, version, until, reason)
        return until

    until = run(_on_base(withdrawn, writes=True))
    sentence = f"{article_id}@{version} does not hold from {shown(until, ZONE)} on."
    answer(sentence, json=json, id=article_id, version=version, withdrawn_at=until.isoformat())


async def _search(text: str, most: int) -> tuple[list[Found], bool]:
    """The articles found, and whether the base is empty."""
    from services.intake.knowledge.base import is_empty
    from services.intake.knowledge.base import search as search_articles

    async def found(base: asyncpg.Connection[Any]) -> tuple[list[Found], bool]:
        every = await search_articles(base, text, await _now(), most=most)
        return every, not every and await is_empty(base)

    return await _on_base(found)


async def _on_base(act: Callable[[asyncpg.Connection[Any]], Awaitable[T]], *, writes: bool = False) -> T:
    """Do it in the city that is up; only the editor may write."""
    from deploy.city.registry import city_up
    from shared.log.acts import acting

    async with acting(city_up().endpoints.login("editor" if writes else "reader")) as base:
        return await act(base)


async def _now() -> datetime:
    from deploy.city.registry import city_up
    from hotline.client import now_of

    return await now_of(city_up())


def _named(named: str) -> tuple[str, int | None]:
    named = folded_code(named)
    article_id, mark, version = named.rpartition("@")
    if not mark:
        return named, None
    if not article_id or not version.isascii() or not version.isdigit() or not 1 <= int(version) < 2**31:
        fail(f"'{named}': expected an article and a version, such as kb-0304@1.", code=2)
    return article_id, int(version)


def named_version(named: str) -> tuple[str, int]:
    """An article and a version as they are typed, and both of them; ends where that is none."""
    article_id, version = _named(named)
    if version is None:
        fail(f"'{named}': expected an article and a version, such as kb-0304@1.", code=2)
    return article_id, version


def _instant(said: str, option: str) -> datetime | None:
    from services.intake.knowledge.file import ZONE

    return instant(said, option, ZONE) if said else None


def _name(one: Article) -> str:
    return f"{one.id}@{one.version}"


def _line(one: Article) -> str:
    from services.intake.knowledge.file import ZONE
    from shared.times import in_zone

    until = "" if one.withdrawn_at is None else f" to {in_zone(one.withdrawn_at, ZONE):%Y-%m-%d}"
    why = f", withdrawn: {one.withdrawn_why or 'no reason given'}" if one.withdrawn_at is not None else ""
    return f"{_name(one)}  from {in_zone(one.valid_from, ZONE):%Y-%m-%d}{until}{why}  {one.title}"


def _row(one: Article) -> dict[str, Any]:
    return {
        "id": one.id,
        "version": one.version,
        "subject": one.subject,
        "title": one.title,
        "valid_from": one.valid_from.isoformat(),
        "source": one.source,
        "withdrawn_at": None if one.withdrawn_at is None else one.withdrawn_at.isoformat(),
        "withdrawn_why": one.withdrawn_why,
    }
