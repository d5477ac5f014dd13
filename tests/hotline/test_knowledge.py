"""The knowledge base (B2): its file, how it is found by Chinese words, its versions, and the command."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from hotline.audit.verify import verify
from hotline.casefile.timeline import show
from hotline.cli.knowledge import knowledge
from hotline.lab.simulation.knowledge import answers
from hotline.lab.simulation.subjects import SUBJECTS
from services.intake import rules
from services.intake.knowledge import base, words
from services.intake.knowledge.file import EXAMPLE, ZONE, Article, KnowledgeInvalid, articles, parsed
from services.intake.knowledge.questions import questions
from services.intake.knowledge.ranking import asked, ranked
from services.intake.knowledge.words import excerpt
from services.intake.views import KnowledgeBase
from shared.desk import Desk
from shared.log.postgres import PostgresLog
from shared.runtime.errors import UserError
from shared.runtime.telemetry import Telemetry
from shared.work import Batch, Work
from tests import examples as eg
from tests.hotline.conftest import Desks

AT = datetime(2021, 9, 24, 8, 30, tzinfo=ZONE)


# --- the file


def test_the_example_says_that_it_is_one_and_what_each_article_stands_on() -> None:
    """B2"""
    told = articles()
    assert (told.version, told.example) == (EXAMPLE, True)
    assert len({one.id for one in told.articles}) >= 30
    assert all(one.source for one in told.articles)
    assert any(one.version > 1 for one in told.articles)


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("year", [2010, 2020, 2021, 2026])
def test_whatever_a_simulated_citizen_asks_there_is_an_article_that_holds(subject: str, year: int) -> None:
    at = AT.replace(year=year)
    assert all(one.holds(at) for one in answers(subject, at))
    assert answers(subject, at)


_ENTRY = """
version = "mine"
example = false
[[articles]]
id = "a"
version = 1
subject = "综合"
title = "标题"
text = "正文"
valid_from = 2021-01-01
source = "某条例"
"""


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (_ENTRY.replace('title = "标题"\n', ""), "missing required field `title`"),
        (_ENTRY.replace("version = 1", "version = 0"), "`int` >= 1"),
        (_ENTRY + 'author = "x"\n', "unknown field `author`"),
        *(
            (_ENTRY.replace("valid_from = 2021-01-01", f"valid_from = {odd}"), "a@1: valid_from: ")
            for odd in (
                "0001-01-01T00:00:00Z",
                "0001-01-01",
                "1899-12-31",
                "9999-12-31T23:59:59.999999Z",
                "9999-12-31T23:59:59-08:00",
            )
        ),
        (_ENTRY + "withdrawn_at = 9999-12-31\n", "a@1: withdrawn_at: "),
        (_ENTRY + "withdrawn_at = 2021-01-01\n", "a@1: withdrawn_at: expected a time after valid_from"),
        (_ENTRY + _ENTRY[_ENTRY.index("[[") :], "a@1 stands there twice"),
        ("no toml", "knowledge: "),
    ],
)
def test_a_file_that_cannot_be_used_says_what_is_wrong(text: str, what: str) -> None:
    with pytest.raises(KnowledgeInvalid) as refused:
        parsed(text)
    assert what in str(refused.value)


def test_a_day_begins_in_beijing() -> None:
    (one,) = parsed(_ENTRY).articles
    assert one.valid_from == datetime(2021, 1, 1, tzinfo=ZONE)
    assert not one.holds(one.valid_from - timedelta(microseconds=1))
    assert one.holds(one.valid_from)


# --- words


def test_words_are_cut_with_the_short_ones_in_the_long_and_no_marks() -> None:
    cut = words.words("北京市居住证,怎样办理?拨打12345")
    assert {"北京市", "居住证", "居住", "办理", "12345"} <= set(cut)
    assert not {",", "?"} & set(cut)


def test_single_characters_are_cut_only_where_there_is_nothing_else() -> None:
    assert "的" not in words.cut_words(["垃圾的分类"])
    assert words.cut_words(["水"]) == ["水"]
    assert words.cut_words(["?!"]) == []


def test_an_excerpt_shows_the_word_that_was_found() -> None:
    text = "前" * 100 + "供暖时间" + "后" * 100
    assert "供暖" in excerpt(text, ["供暖"])
    assert excerpt("短文", ["没有"]) == "短文"
    assert "供暖" in excerpt(text, ["暖气"], ["供暖"]), "its synonym where the word is not there"


def test_the_command_and_the_services_start_without_the_dictionary() -> None:
    """It takes a second to load."""
    modules = "hotline.__main__, services.__main__, services.intake.knowledge.base"
    code = f"import sys, {modules}; print('jieba' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


# --- in PostgreSQL


def article(article_id: str = "a", version: int = 1, **changes: Any) -> Article:
    said = Article(
        id=article_id,
        version=version,
        subject="综合",
        title="标题",
        text="正文",
        valid_from=datetime(2021, 1, 1, tzinfo=ZONE),
        source="某条例",
    )
    return replace(said, **changes)


@pytest.fixture
def owner(desks: Desks) -> asyncpg.Connection[Any]:
    """The owner's connection to a log with an empty base."""
    return desks.owner


async def ids(owner: asyncpg.Connection[Any], text: str, at: datetime = AT) -> list[str]:
    return [f"{one.article.id}@{one.article.version}" for one in await base.search(owner, text, at)]


@pytest.mark.connected
async def test_a_word_of_the_title_stands_above_any_of_the_text(owner: asyncpg.Connection[Any]) -> None:
    """B2"""
    often = article("often", text="供暖。" * 20)
    await base.load(owner, [often, article("title", title="供暖时间"), article("other", title="供水")])
    found = await base.search(owner, "供暖什么时候开始", AT)
    assert [one.article.id for one in found] == ["title", "often"]
    assert found[0].score > found[1].score
    assert "供暖" in found[1].excerpt


@pytest.mark.connected
@pytest.mark.parametrize(
    ("asks", "first"),
    [
        ("我家暖气不热,几号开始供暖", "kb-0304@1"),
        ("外地人怎么办居住证", "kb-0002@1"),
        ("垃圾怎么分类", "kb-0503@2"),
        ("装电梯要多少业主同意", "kb-0402@2"),
        ("公司不发工资怎么申请仲裁", "kb-0901@1"),
        ("网购能不能退货", "kb-0202@1"),
        ("夜间施工", "kb-0801@1"),
        ("什么时候开始供暖", "kb-0304@1"),
        ("孩子上学", "kb-1001@1"),
        ("房产证", "kb-0403@1"),
        ("噪音扰民", "kb-0801@1"),
    ],
)
async def test_the_example_answers_what_citizens_ask(
    owner: asyncpg.Connection[Any], asks: str, first: str
) -> None:
    """B2"""
    await base.load(owner, articles().articles)
    assert (await ids(owner, asks))[0] == first
    assert await ids(owner, "量子力学") == []


@pytest.mark.connected
async def test_the_base_finds_what_its_articles_in_memory_find(owner: asyncpg.Connection[Any]) -> None:
    """B2: PostgreSQL leaves out only articles that are no answer."""
    await base.load(owner, articles().articles)
    now = datetime(2026, 12, 2, tzinfo=ZONE)
    held = [one for one in articles().articles if one.holds(now)]
    for one in questions(None, {one.id for one in held}):
        by_memory = [found.article for found in ranked(asked(one.text), held)]
        assert [found.article for found in await base.search(owner, one.text, now)] == by_memory, one.text
    odd = ["", "?!", "%", "_", "'", "供暖' | '", "\\", "①", "𝟙", "水" * 2000, "!暖气 & 供暖 <-> |"]
    for text in odd:
        by_memory = [found.article for found in ranked(asked(text), held)]
        assert [found.article for found in await base.search(owner, text, now)] == by_memory, text


@pytest.mark.connected
async def test_a_search_finds_the_latest_version_that_holds_and_none_that_was_withdrawn(
    owner: asyncpg.Connection[Any],
) -> None:
    """B2"""
    coming = datetime(2022, 1, 1, tzinfo=ZONE)
    await base.load(owner, [article(title="供暖"), article(version=2, title="供暖", valid_from=coming)])
    assert await ids(owner, "供暖") == ["a@1"]
    assert await ids(owner, "供暖", coming) == ["a@2"]
    await base.withdraw(owner, "a", 2, coming + timedelta(days=1), "有误")
    assert await ids(owner, "供暖", coming + timedelta(days=1)) == ["a@1"], "the one before holds again"
    await base.withdraw(owner, "a", 1, AT, "过时")
    assert await ids(owner, "供暖") == []
    with pytest.raises(UserError, match="a@1 was withdrawn at 2021-09-24 08:30"):
        await base.withdraw(owner, "a", 1, AT, "again")
    assert [one.withdrawn_why for one in await base.history(owner, "a")] == ["有误", "过时"]


@pytest.mark.connected
async def test_a_version_is_never_changed(owner: asyncpg.Connection[Any]) -> None:
    """B2"""
    assert await base.load(owner, [article()]) == (1, 0)
    assert await base.load(owner, [article(), article("b")]) == (1, 0)
    with pytest.raises(KnowledgeInvalid, match="a@1: text: it says something else than in the base"):
        await base.load(owner, [article("c"), article(text="改了")])
    assert {one.id for one in await base.listed(owner)} == {"a", "b"}, "all or none"
    assert await base.load(owner, [article(withdrawn_at=AT)]) == (0, 1)
    for statement in (
        "UPDATE intake.article SET title = ''",
        "DELETE FROM intake.article_withdrawn",
        "TRUNCATE intake.article CASCADE",
    ):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await owner.execute(statement)


@pytest.mark.connected
async def test_intake_takes_an_answer_by_what_stands_in_the_base(desks: Desks) -> None:
    """B2: through its own view, reading again where a version is not known yet."""
    known = KnowledgeBase(desks.dsn, 3600)

    def decide(command: Any, case: Any) -> Any:
        return rules.decide(command, case, known.articles)

    async with known:
        log = PostgresLog(desks.dsn, "intake", "test.intake")
        desk = Desk("intake", decide, log, Telemetry("intake"), known.look)

        async def told(request: str, version: int) -> list[str]:
            work = eg_work(request, version)
            await desk.obey(Batch(work=[work]))
            rows = await desks.owner.fetch(
                "SELECT type FROM es.fact WHERE stream_id = $1 ORDER BY version", work.complaint_id
            )
            return [row[0] for row in rows][1:]

        to_unit = ["ComplaintClassified", "IntakeRefused"]
        ended = ["ComplaintClassified", "ComplaintAnsweredDirectly"]
        await base.load(desks.owner, [article(withdrawn_at=datetime(2021, 9, 1, tzinfo=ZONE))])
        assert await told("req-1", 1) == to_unit, "withdrawn before"
        assert await told("req-2", 2) == to_unit, "not there"
        await base.load(desks.owner, [article(version=2, title="供暖时间")])
        assert await told("req-3", 2) == ended, "read again, for it was not known"
        assert await told("req-2", 2) == to_unit, "told again, nothing new"
        await log.close()
    shown = await show(desks.dsn, "req-3")
    assert shown.entries[-1].what == "answered on the spot from article a v2: 供暖时间"


def eg_work(request: str, version: int) -> Work:
    from services.intake.decisions.recording import AskedToRecord
    from shared.events import RequestType
    from shared.ids import complaint_id

    command = AskedToRecord(
        complaint_id=complaint_id(request),
        command=replace(
            eg.REQUEST,
            request_id=request,
            request_type=RequestType.CONSULT,
            article_id="a",
            article_version=version,
        ),
        ruleset=eg.RECORD.ruleset,
        calendar=eg.RECORD.calendar,
        at=eg.CALLED_AT,
    )
    return Work(command, command.complaint_id, f"event/{request}")


@pytest.mark.connected
async def test_verify_names_a_checked_answer_whose_version_is_not_there(desks: Desks) -> None:
    """B2"""

    def decide(command: Any, case: Any) -> Any:
        known = {("a", 1): rules_valid(), ("b", 1): rules_valid()}
        return rules.decide(command, case, known if command.complaint_id != unchecked.complaint_id else {})

    await base.load(desks.owner, [article()])
    there, unchecked = eg_work("req-1", 1), eg_work("req-2", 7)
    gone = eg_work("req-3", 1)
    gone = Work(_with(gone.command, article_id="b"), gone.complaint_id, gone.caused_by)
    log = PostgresLog(desks.dsn, "intake", "test.intake")
    await Desk("intake", decide, log, Telemetry("intake")).obey(Batch(work=[there, unchecked, gone]))
    await log.close()
    report = await verify(desks.dsn)
    assert [(one.complaint_id, one.what) for one in report.problems] == [
        (
            gone.complaint_id,
            "version 3 (ComplaintAnsweredDirectly): answered from article b v1, which is not there",
        )
    ]


def rules_valid() -> Any:
    from services.intake.knowledge.rule import Valid

    return Valid(datetime(2020, 1, 1, tzinfo=ZONE))


def _with(command: Any, **changes: Any) -> Any:
    from tests.examples import told as other

    return other(command, command=replace(command.command, **changes))


# --- as it is typed


async def typed(*words: str) -> Result:
    return await asyncio.to_thread(partial(CliRunner().invoke, knowledge, words))


@pytest.mark.connected
async def test_the_command_loads_finds_shows_adds_and_withdraws(city_here: None, tmp_path: Path) -> None:
    """B2"""
    assert "is empty" in (await typed("list")).stdout
    assert (await typed("search", "供暖")).stdout.startswith("The knowledge base is empty: ")
    nothing = await typed("search", "供暖", "--json")
    assert (nothing.stdout, "is empty" in nothing.stderr) == ("[]\n", True)
    loaded = await typed("load")
    assert "of an example, from which no citizen should be answered" in loaded.stdout
    again = await typed("load")
    assert again.stdout.startswith("0 versions added")
    found = (await typed("search", "垃圾怎么分类")).stdout
    assert found.startswith("kb-0503@2  生活垃圾怎样分类  (")
    assert "厨余垃圾" in found
    assert (await typed("search", "量子力学")).stdout == "No article that holds now answers it.\n"
    shown = json.loads((await typed("show", "kb-0503@1", "--json")).stdout)
    assert (shown["version"], [one["version"] for one in shown["history"]]) == (1, [2, 1])
    latest = (await typed("show", "kb-0503")).stdout
    assert latest.startswith("kb-0503@2")
    assert "kb-0503@1  from 2012-03-01 to 2020-05-01, withdrawn: " in latest

    added = await typed(
        "add", "kb-0503", "--title", "垃圾分类", "--text", "新的", "--source", "某", "--from", "2026-01-01"
    )
    assert added.stdout.startswith("kb-0503@3  from 2026-01-01")
    gone = await typed("withdraw", "kb-0503@3", "--reason", "有误", "--at", "2026-02-01")
    assert gone.stdout == "kb-0503@3 does not hold from 2026-02-01 00:00 on.\n"
    mine = tmp_path / "mine.toml"
    mine.write_text(_ENTRY, encoding="utf-8")
    assert (await typed("load", str(mine))).stdout.startswith("1 versions added, 0 withdrawn")
    assert json.loads((await typed("search", "标题", "--json")).stdout)[0]["id"] == "a"


@pytest.mark.connected
@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("show", "nothing"), 1, ""),
        (("show", "kb-0001@x"), 2, "expected an article and a version, such as kb-0304@1"),
        (("withdraw", "kb-0001", "--reason", "x"), 2, "expected an article and a version"),
        (
            ("withdraw", "a@1", "--reason", "x", "--at", "soon"),
            2,
            "--at: 'soon', expected a day or an instant",
        ),
        (("add", "a", "--title", "", "--text", "x", "--source", "x"), 2, "at `$.title`"),
    ],
)
async def test_what_is_typed_wrongly_is_said(
    city_here: None, words: tuple[str, ...], code: int, why: str
) -> None:
    told = await typed(*words)
    assert told.exit_code == code
    assert why in told.stderr
