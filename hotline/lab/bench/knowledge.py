"""Part `knowledge`: how many questions the search of the knowledge base answers rightly, and how long it takes.

The questions stand in a CSV with the article that answers each, or none. The articles are loaded into a base of
their own, and each question is searched there, as an agent searches.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from deploy.city import making
from hotline.lab.bench import picture
from hotline.lab.bench.meter import Meter, spent
from hotline.lab.bench.report import print_line, print_table, print_verdict, print_where
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.result import Wait, wait_of, warnings_of
from hotline.lab.bench.stage import BenchCity, stage
from services.intake.knowledge import base
from services.intake.knowledge.file import Articles, KnowledgeInvalid, articles
from services.intake.knowledge.questions import (
    FIRST,
    Question,
    SearchedQuestion,
    questions,
    share_right,
)
from shared.log.acts import acting

FIRST_MIN: Final = 0.85
FIRST_THREE_MIN: Final = 0.95
ROUNDS: Final = 10
"""How often each question is searched for the time it takes; for a short look once."""


class KnowledgeResult(Base, frozen=True, kw_only=True):
    """All that was measured."""

    articles: str
    """The version of the file of articles."""
    searched: list[SearchedQuestion]
    first: float
    """The share of questions for which the right article is the first, or rightly none is found."""
    first_three: float
    wait: Wait
    """Of one search in milliseconds, the round trip to PostgreSQL with it."""
    loading: float
    """Milliseconds of the first search of a process: it loads dictionary and vocabulary."""


def loaded(asked: Path | None, told: Path | None) -> tuple[Articles, list[Question]]:
    """The articles and the questions in these files, else those of the example. Raises `KnowledgeInvalid`."""
    every = articles("" if told is None else str(told))
    if not every.articles:
        raise KnowledgeInvalid("The knowledge base is empty: the file of articles holds none")
    return every, questions(asked, {one.id for one in every.articles})


async def measured(
    *,
    quick: bool,
    folder: Path,
    say: Callable[[str], None],
    told: Articles | None = None,
    asked: list[Question] | None = None,
) -> KnowledgeResult:
    """See `Part.measured`; `told` and `asked` are the articles and questions, else those of the example."""
    if told is None or asked is None:
        told, asked = loaded(None, None)
    async with stage(folder, say=say, zipkin=False) as here:
        return await run(here, told, asked, say, rounds=1 if quick else ROUNDS)


async def run(
    here: BenchCity, told: Articles, known: list[Question], say: Callable[[str], None], *, rounds: int
) -> KnowledgeResult:
    """Measure so much."""
    endpoints = await making.create(here.addresses, "knowledge", here.units)
    async with acting(endpoints.login("editor")) as editor:
        await base.load(editor, told.articles)
    say(f"{len(known)} questions are searched among {len(told.articles)} versions of articles")
    at = datetime.now(UTC)
    owner = await asyncpg.connect(endpoints.owner_dsn)
    try:
        meter = Meter({**here.servers}, owner)
        async with acting(endpoints.login("reader")) as reader:
            loading, _ = await _searched(reader, known[0], at)
            began = await meter.read()
            answers = [[await _searched(reader, one, at) for one in known] for _ in range(rounds)]
            window = spent(began, await meter.read())
    finally:
        await owner.close()
    searched = [one for _, one in answers[0]]
    machine = here.machine()
    result = KnowledgeResult(
        machine=machine,
        fixed=await here.fixed(endpoints, gc.get_threshold()),
        others_share=window.others_share,
        warnings=warnings_of(machine, {"the searches": window}),
        wrong=[
            f"{one.question}: found {_named(again)} and then {_named(one)}"
            for lot in answers[1:]
            for again, (_, one) in zip(searched, lot, strict=True)
            if again != one
        ],
        articles=told.version,
        searched=searched,
        first=share_right(searched, 1),
        first_three=share_right(searched, FIRST),
        wait=wait_of([milliseconds for lot in answers for milliseconds, _ in lot]),
        loading=loading,
    )
    result.warnings.extend(bars_missed(result))
    await here.drop(endpoints)
    return result


async def _searched(
    reader: asyncpg.Connection[Any], asked: Question, at: datetime
) -> tuple[float, SearchedQuestion]:
    began = time.perf_counter()
    found = await base.search(reader, asked.text, at)
    milliseconds = (time.perf_counter() - began) * 1000
    ids = tuple(one.article.id for one in found)
    return milliseconds, SearchedQuestion(question=asked.text, article=asked.article, found=ids)


def bars_missed(result: KnowledgeResult) -> list[str]:
    """Which bars are missed."""
    missed = []
    if result.first < FIRST_MIN:
        missed.append(
            f"the first article is the right one for {result.first:.1%}, the bar is {FIRST_MIN:.0%}"
        )
    if result.first_three < FIRST_THREE_MIN:
        missed.append(
            f"one of the first three is the right one for {result.first_three:.1%}, "
            f"the bar is {FIRST_THREE_MIN:.0%}"
        )
    return missed


def show(result: KnowledgeResult) -> None:
    """See `Part.show`."""
    failed = [one for one in result.searched if not one.right(1)]
    if failed:
        print_table(
            "Not answered rightly by the first article",
            ("", "right", "found"),
            [(one.question, one.article or "none", _named(one)) for one in failed],
        )
    none = sum(one.article is None for one in result.searched)
    print_line(
        f"Of {len(result.searched)} questions, {none} of which no article answers: top-1 {result.first:.3f}, "
        f"top-3 {result.first_three:.3f}, {len(failed)} wrong. Articles: {result.articles}."
    )
    print_line(
        f"A search takes {result.wait.p50:.1f} ms (p50), {result.wait.p99:.1f} ms (p99); "
        f"the first of a process {result.loading:,.0f} ms."
    )
    print_where(result)
    print_verdict(result, "Each question finds the same articles in every round.")


def plot(result: KnowledgeResult, path: Path) -> None:
    """See `Part.plot`: the shares answered rightly, and the bars."""
    drawn = picture.figure(f"{len(result.searched)} questions: the share answered rightly")
    axes = drawn.subplots()
    bars = axes.bar(["first article", "first three"], [result.first, result.first_three])
    axes.bar_label(bars, fmt="{:.3f}")
    axes.hlines([FIRST_MIN, FIRST_THREE_MIN], [-0.4, 0.6], [0.4, 1.4], linestyles="--")
    axes.set_ylim(0, 1.05)
    picture.save(drawn, result, path)


def _named(one: SearchedQuestion) -> str:
    return " ".join(one.found) or "none"
