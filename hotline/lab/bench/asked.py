"""Questions of people and pages to the read side, put again and again, and the plans of their answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from deploy.city.processes import COUNTS
from hotline.governance.candidates import counted
from hotline.lab.bench.open_lives import TITLES, title_of
from hotline.lab.bench.result import Wait, wait_of
from hotline.lab.bench.templates import request_of
from hotline.readside.board import board_calls, board_figures
from hotline.readside.figures import counted_by
from hotline.readside.leads import leads_page
from hotline.readside.lists import Filter, page_of
from hotline.readside.rows import CORRECTIONS, ORDERS, REVIEWS, SUPERVISION, VISITS
from hotline.readside.search import found
from hotline.readside.standing import as_of
from hotline.readside.telephone import figures, responses
from shared.ids import complaint_id
from shared.log.postgres import SETTINGS
from shared.policy.ruleset import ruleset
from shared.versions import RULESET

LOG_TABLES: Final = ("event", "stream", "archived")
"""No answer reads these but by a key."""
WARM: Final = 3

Question = Callable[["Questions"], Awaitable[Any]]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How one question was answered."""

    question: str
    rows: int
    """In the last answer."""
    wait: Wait
    """In milliseconds; the highest percentile told is the 95th (`p95`)."""
    p95: float
    plan: str
    """The nodes that read tables, each with its table or index and the rows it read."""
    touched: float
    """The most rows that one node read, those that it left out among them."""
    scans: list[str]
    """Tables of the log that were read as a whole: none may be."""


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """The plans of one question."""

    plan: str
    touched: float
    scans: list[str]


@dataclass
class Questions:
    """Somebody who asks, over one connection, always for something else."""

    connection: asyncpg.Connection[Any]
    random: Random
    units: list[str]
    subjects: list[str]
    districts: list[str]
    lives: int
    until: datetime
    """The last instant of the log."""
    cursors: dict[str, str]

    async def orders(self) -> Any:
        """The first page of a unit's orders."""
        unit = self.random.choice(self.units)
        rows = await page_of(self.connection, ORDERS, unit)
        if rows:
            self.cursors[unit] = rows[-1].cursor
        return rows

    async def more_orders(self) -> Any:
        """A page behind another one."""
        unit = self.random.choice(list(self.cursors) or self.units)
        return await page_of(self.connection, ORDERS, unit, after=self.cursors.get(unit, ""))

    async def filtered_orders(self) -> Any:
        """A unit's orders of one class that are late."""
        only = Filter(urgency="GENERAL_7D", due_before=self.until)
        return await page_of(self.connection, ORDERS, self.random.choice(self.units), only=only)

    async def counts(self) -> Any:
        """The numbers of `hotline status`."""
        return [await self.connection.fetchrow(COUNTS), await as_of(self.connection)]

    async def groups(self) -> Any:
        """A district's complaints by stage and unit."""
        return await counted_by(self.connection, "stage", "unit", district=self.random.choice(self.districts))

    async def candidates(self) -> Any:
        """The subjects of a year."""
        last = self.until.date() - timedelta(days=self.random.randint(0, 300))
        return list(await counted(self.connection, date(last.year - 1, last.month, last.day % 28 + 1), last))

    async def telephone(self) -> Any:
        """The telephone's figures of 24 hours, with the worst 24 hours on end; the responses to messages."""
        rules = ruleset(RULESET)
        until = self.until - timedelta(minutes=self.random.randint(0, 600), seconds=17)
        since = until - timedelta(hours=24)
        told = await figures(self.connection, since, until, rules.telephone)
        return [told, *await responses(self.connection, since, until, rules.messages)]

    async def board(self) -> Any:
        """All figures of the board but those of the telephone."""
        found = await board_figures(self.connection)
        return [*found.by_district, *found.by_unit, *found.waiting]

    async def board_of_calls(self) -> Any:
        """The board's figures of the telephone."""
        rules = ruleset(RULESET)
        return (await board_calls(self.connection, rules.telephone, ZoneInfo(rules.timezone))).rolling

    async def late_of_a_district(self) -> Any:
        """The first page of a district's late orders."""
        return await leads_page(
            self.connection, district=self.random.choice(self.districts), due_before=self.until
        )

    async def by_number(self) -> Any:
        """A complaint by the beginning of its number."""
        return await found(self.connection, complaint_id(self._request())[:8])

    async def by_request(self) -> Any:
        """A complaint by its request."""
        return await found(self.connection, self._request())

    async def by_place(self) -> Any:
        """The newest of a subject in a district."""
        subject, district = self.random.choice(self.subjects), self.random.choice(self.districts)
        return await found(self.connection, subject=subject, district=district)

    async def by_words(self) -> Any:
        """The newest open ones with common words in the title."""
        return await found(self.connection, self.random.choice(TITLES)[-4:], open_only=True)

    async def by_title(self) -> Any:
        """The newest with a whole title."""
        return await found(self.connection, title_of(self.random.randrange(self.lives)))

    async def by_nothing(self) -> Any:
        """Words that no title has."""
        return await found(self.connection, "火星移民")

    def _request(self) -> str:
        return request_of(self.random.randrange(self.lives))


def _list_of(which: str) -> Question:
    async def ask(questions: Questions) -> Any:
        return await page_of(questions.connection, which)

    return ask


ASKED: Final[dict[str, Question]] = {
    "a unit's orders": Questions.orders,
    "a unit's orders, a later page": Questions.more_orders,
    "a unit's late orders of a class": Questions.filtered_orders,
    "what waits for reviewers": _list_of(REVIEWS),
    "what is to be corrected": _list_of(CORRECTIONS),
    "supervision": _list_of(SUPERVISION),
    "visits": _list_of(VISITS),
    "a district's late orders": Questions.late_of_a_district,
    "the board": Questions.board,
    "the board's calls": Questions.board_of_calls,
    "counts of status": Questions.counts,
    "counts by stage and unit": Questions.groups,
    "candidates of a year": Questions.candidates,
    "calls and messages of a day": Questions.telephone,
    "search: number": Questions.by_number,
    "search: request": Questions.by_request,
    "search: subject and district": Questions.by_place,
    "search: common words, open": Questions.by_words,
    "search: a title": Questions.by_title,
    "search: no title has it": Questions.by_nothing,
}
"""Every question, by its name in the table."""


async def answered(dsn: str, owner_dsn: str, rounds: int, *, lives: int, seed: int = 1) -> list[Answer]:
    """Ask each question so often, warm, over a reader's connection; then once more for its plans, as the owner."""
    answers: list[Answer] = []
    connection = await asyncpg.connect(dsn, server_settings=SETTINGS)
    owner = await asyncpg.connect(owner_dsn, server_settings=SETTINGS)
    try:
        questions = await _questions(connection, lives, seed)
        for name, ask in ASKED.items():
            for _ in range(WARM):
                await ask(questions)
            waits: list[float] = []
            got: Any = []
            for _ in range(rounds):
                began = time.perf_counter()
                got = await ask(questions)
                waits.append((time.perf_counter() - began) * 1000)
            again = replace(questions, connection=owner)
            told = await _explained(owner, lambda ask=ask, again=again: ask(again))  # type: ignore[misc]
            answers.append(
                Answer(
                    question=name,
                    rows=len(got),
                    wait=wait_of(waits),
                    p95=sorted(waits)[max(0, -(-len(waits) * 95 // 100) - 1)],
                    plan=told.plan,
                    touched=told.touched,
                    scans=told.scans,
                )
            )
    finally:
        await connection.close()
        await owner.close()
    return answers


async def _questions(connection: asyncpg.Connection[Any], lives: int, seed: int) -> Questions:
    async def names(column: str) -> list[str]:
        rows = await connection.fetch(
            f"SELECT DISTINCT {column} FROM read.count WHERE {column} <> '' ORDER BY 1"  # noqa: S608 -- our own names
        )
        return [row[0] for row in rows]

    until = await connection.fetchval("SELECT max(received_at) FROM read.complaint")
    return Questions(
        connection,
        Random(seed),  # noqa: S311 -- the same questions each time
        await names("unit"),
        await names("subject"),
        await names("district"),
        lives,
        until,
        {},
    )


async def _explained(connection: asyncpg.Connection[Any], ask: Callable[[], Awaitable[Any]]) -> Explained:
    """The plans of all statements of a question, also those inside functions."""
    plans: list[dict[str, Any]] = []

    def heard(_: Any, message: Any) -> None:
        text = str(message.message)
        if "plan:\n" in text:
            plans.append(json.loads(text.partition("plan:\n")[2])["Plan"])

    connection.add_log_listener(heard)
    await connection.execute("LOAD 'auto_explain'")
    for name, value in _EXPLAIN.items():
        await connection.execute(f"SET auto_explain.{name} = '{value}'")
    try:
        await ask()
        await asyncio.sleep(0)  # listeners are called soon, not at once
    finally:
        await connection.execute("SET auto_explain.log_min_duration = -1")
        connection.remove_log_listener(heard)
    reads: dict[str, float] = {}
    scans: list[str] = []
    touched = 0.0
    for node in (node for plan in plans for node in _nodes(plan)):
        table = node.get("Relation Name") or node.get("Index Name")
        if table is None:
            continue
        rows = float(node["Actual Rows"]) * float(node["Actual Loops"])
        left_out = float(node.get("Rows Removed by Filter", 0)) * float(node["Actual Loops"])
        touched = max(touched, rows + left_out)
        name = f"{node['Node Type']} {node.get('Index Name') or table}"
        reads[name] = reads.get(name, 0.0) + rows
        if node["Node Type"] == "Seq Scan" and node.get("Relation Name") in LOG_TABLES:
            scans.append(table)
    plan = "; ".join(f"{name} ({rows:,.0f})" for name, rows in reads.items())
    return Explained(plan=plan, touched=touched, scans=scans)


_EXPLAIN: Final = {
    "log_min_duration": "0",
    "log_analyze": "on",
    "log_nested_statements": "on",
    "log_format": "json",
    "log_level": "notice",
}


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
