"""Programmes on a real PostgreSQL: recorded, raced for, verified, kept; and as they are typed (Q5)."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from msgspec.structs import replace
from typer import Typer
from typer.testing import CliRunner, Result

from deploy.city.endpoints import GRANTED, CityEndpoints
from deploy.city.making import create
from deploy.city.registry import City
from deploy.embedded.stack import Addresses
from hotline.audit.verify import verify
from hotline.cli.programme import programme
from hotline.governance import facts as f
from hotline.governance.candidates import counted
from hotline.governance.log import programmes
from hotline.governance.rules import NoSuchProgramme
from hotline.governance.state import folded
from hotline.readside.process import take_in
from hotline.upkeep.backup import backup
from hotline.upkeep.restore import restore
from shared.ids import complaint_id
from shared.runtime.errors import UserError
from tests import examples as eg
from tests.hotline.conftest import Desks
from tests.hotline.test_proactive import (
    ADOPT,
    BEGUN,
    CLOSE,
    COMPLETE,
    ID,
    LIST,
    PROBLEM,
    PROPOSE,
    TASK,
    VERIFY,
)
from tests.hotline.test_verify import recorded_twice, several_lives
from tests.sources import Databases

ZONE = ZoneInfo("Asia/Shanghai")
LEAD, HELPER, OWNER, STREET = (
    "municipal-housing", "municipal-market", "district-haidian", "street-haidian-huayuanlu",
)  # fmt: skip
"""Units of the example's catalogue."""

pytestmark = pytest.mark.connected


async def typed(*words: str) -> Result:
    """What comes of typing `hotline programme WORDS`; in a thread, as a command has a loop of its own."""
    app = Typer()
    app.add_typer(programme, name="programme")
    return await asyncio.to_thread(
        lambda: CliRunner().invoke(app, ["programme", *words], env={"COLUMNS": "200"})
    )


async def test_what_is_recorded_is_read_again_and_a_refusal_is_recorded_too(database: str) -> None:
    async with programmes(database) as log:
        said, state = await log.record(BEGUN)
        assert said == list(BEGUN)
        refused, same = await log.record([CLOSE])
        assert same == state
        assert isinstance(refused[0], f.WishRefused)
        assert await log.record([PROPOSE]) == ([], state)
        facts = await log.facts(ID)
        assert facts == [*BEGUN, *refused]
        assert await log.one(ID) == folded(facts) == state
        await log.record([LIST])
        assert [one.title for one in await log.all()] == [PROPOSE.title, LIST.title]
        assert await log.called(ID[:8].upper()) == ID
        with pytest.raises(NoSuchProgramme):
            await log.record([replace(ADOPT, programme_id=f.programme_id_of(2030, 1, "x"))])
        for text, why in (("zz", "expected hexadecimal"), ("abcd0000", "No programme")):
            with pytest.raises(UserError, match=why):
                await log.called(text)


async def test_two_writers_at_once_both_get_through_on_the_whole_past(database: str) -> None:
    """The second decides again: its completion stands behind the first one's, refused and on record."""
    async with programmes(database) as first, programmes(database) as second:
        await first.record(BEGUN)
        past = await second.facts(ID)
        await first.record([COMPLETE])
        assert await second.append(ID, len(past), [VERIFY]) is False
        assert await second.facts(ID) == [*BEGUN, COMPLETE]
        other = replace(COMPLETE, evidence="另一份材料", by="clerk")
        wishes = [replace(other, completed_at=other.completed_at + timedelta(minutes=n)) for n in range(5)]
        async with programmes(database) as third:
            logs = (first, second, third)
            await asyncio.gather(*(write(log, wishes) for log in logs))
        facts = await first.facts(ID)
        assert len(facts) == len(BEGUN) + 1 + len(logs) * len(wishes)
        assert all(isinstance(fact, f.WishRefused) for fact in facts[len(BEGUN) + 1 :])
    report = await verify(database)
    assert (report.programmes, report.programme_facts, report.problems) == (1, len(facts), [])


async def write(log: object, wishes: list[f.TaskCompleted]) -> None:
    from hotline.governance.log import Programmes

    assert isinstance(log, Programmes)
    for wish in wishes:
        await log.record([wish])


async def test_nobody_changes_a_row_the_reader_reads_and_the_governor_adds_by_a_function(
    database: str,
) -> None:
    async with programmes(database) as log:
        await log.record(BEGUN)
    owner = await asyncpg.connect(database)
    try:
        for statement in (
            "UPDATE es.programme_fact SET kind = 'X'",
            "DELETE FROM es.programme_fact",
            "TRUNCATE es.programme_fact",
        ):
            with pytest.raises(asyncpg.PostgresError, match="append-only"):
                await owner.execute(statement)
        for role in {role for roles in GRANTED.values() for role in roles}:
            for right, wanted in (
                ("SELECT", role in {"hotline_reader", "hotline_governor", "hotline_relay", "hotline_web"}),
                ("INSERT", False),
            ):
                may = await owner.fetchval(
                    "SELECT has_table_privilege($1, 'es.programme_fact', $2)", role, right
                )
                assert may is wanted, (role, right)
            for more in ("", ", text[]"):
                appends = f"es.append_programme(uuid, int, text[], timestamptz[], text[], text[]{more})"
                adds = await owner.fetchval("SELECT has_function_privilege($1, $2, 'EXECUTE')", role, appends)
                assert adds is (role == "hotline_governor")
    finally:
        await owner.close()


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DELETE FROM es.programme_fact WHERE position = 3", "follows position 2"),
        ("UPDATE es.programme_fact SET recorded_by = 'x' WHERE position = 2", "kind, time or speaker"),
        ('UPDATE es.programme_fact SET body = replace(body, \'"by":"city\', \'"by": "city\')', "its bytes"),
        ("UPDATE es.programme_fact SET body = '{}' WHERE position = 4", "cannot be read"),
        ("DELETE FROM es.programme_fact WHERE position = 2", "is not adopted yet"),
        ("UPDATE es.programme_fact SET notices = '[]' WHERE position = 4", "what units are told of it"),
        (
            "UPDATE es.programme_fact SET notices = replace(notices, 'planning', 'market')",
            "what units are told of it",
        ),
    ],
)
async def test_verify_names_what_the_rules_would_not_have_taken(
    database: str, statement: str, what: str
) -> None:
    async with programmes(database) as log:
        await log.record([*BEGUN, COMPLETE, VERIFY])
    assert (await verify(database)).problem_count == 0
    owner = await asyncpg.connect(database)
    try:
        await owner.execute(f"ALTER TABLE es.programme_fact DISABLE TRIGGER append_only; {statement}")
    finally:
        await owner.close()
    report = await verify(database)
    assert any(what in problem.what and ID in problem.what for problem in report.problems), report.problems


async def test_a_forged_refusal_or_end_is_found(database: str) -> None:
    """H1: closed without an assessment, whoever wrote it."""
    forged = f.WishRefused(programme_id=ID, by="x", wanted=TASK, reason="because", refused_at=TASK.set_at)
    async with programmes(database) as log:
        await log.record([PROPOSE, ADOPT, PROBLEM])
        assert await log.append(ID, 3, [forged, CLOSE])
    found = [problem.what for problem in (await verify(database)).problems]
    assert any("position 4 (WishRefused): refuses what the rules take" in what for what in found)
    assert any("position 5 (ProgrammeClosed): it was not assessed" in what for what in found)


async def test_a_backup_carries_programmes(stack: Addresses, databases: Databases, tmp_path: Path) -> None:
    name, again = "programmes_kept", "programmes_again"
    endpoints: CityEndpoints = await create(stack, name, [])
    try:
        async with programmes(endpoints.logins["governor"]) as log:
            await log.record([*BEGUN, COMPLETE])
        await backup(City(endpoints=endpoints), tmp_path / "kept")
        restored, _ = await restore(stack, tmp_path / "kept", again, [])
        async with programmes(restored.logins["governor"]) as log:
            assert await log.facts(ID) == [*BEGUN, COMPLETE]
            await log.record([VERIFY])
        assert (await verify(restored.owner_dsn)).problem_count == 0
    finally:
        for made in (name, again):
            await databases.drop(made)


async def test_complaints_are_counted_by_subject_and_district(desks: Desks) -> None:
    """Q5, T7: a correction counts, and a call recorded twice counts once.

    The first day is in, the day after the last is not.
    """
    await several_lives(desks)
    await desks.tell(recorded_twice("the second record of a call"))
    total = await desks.owner.fetchval(
        "SELECT count(*) FROM es.stream WHERE state::json ->> 'subject' IS NOT NULL AND stream_id <> $1",
        complaint_id("the second record of a call"),
    )
    await take_in(desks.dsn)
    day = eg.CALLED_AT.astimezone(ZONE).date()
    whole = await counted(desks.owner, day - timedelta(days=400), day + timedelta(days=100))
    assert whole == await counted(desks.owner, day, day + timedelta(days=1)), "by months and by days"
    assert total > 0
    assert sum(whole.values()) == total
    assert (eg.RECORD.command.subject, eg.RECORD.command.district) in whole
    assert await counted(desks.owner, day - timedelta(days=1), day) == {}
    assert await counted(desks.owner, day - timedelta(days=90), day) == {}


async def test_a_programme_is_typed_from_its_candidates_to_its_end(desks: Desks, city_here: None) -> None:
    """Q5, T26, T14."""
    await several_lives(desks)
    await take_in(desks.dsn)
    found = json.loads((await typed("candidates", "--since", "2020-01-01", "--json")).stdout)
    subject = found[0]["subject"]
    propose = (
        "propose",
        "2021-01",
        "房产证难办",
        "--lead",
        LEAD,
        "--out-of",
        f"{subject}@海淀区",
        "--as",
        "市政务局",
        "--json",
    )
    made = await typed(*propose)
    assert (made.exit_code, made.stdout) == (2, ""), (
        "the example's catalogue does not know what was complained of"
    )
    made = await typed(*propose, "--as-is")
    assert made.exit_code == 0, made.output
    (proposed,) = json.loads(made.stdout)
    assert (proposed["type"], proposed["by"]) == ("ProgrammeProposed", "市政务局")
    one = proposed["programme_id"][:8]
    steps = (
        ("adopt", one, "--as", "市政务局"),
        ("item", one, "历史遗留", "--lead", LEAD, "--with", f"{HELPER},海淀区人民政府", "--as", "市政务局"),
        ("lead", one, "1", HELPER, "--with", LEAD, "--reason", "分工调整", "--as", "市政务局"),
        ("task", one, "1", "5号楼", "--owner", OWNER, "--due", "2199-12-31", "--as", "市政务局"),
        ("task", one, "1", "回头看", "--owner", OWNER, "--due", "2199-12-31", "--as", "市政务局"),
        ("progress", one, "1", "已受理", "--as", OWNER),
        ("complete", one, "1", "--evidence", "50户已领证", "--as", OWNER),
    )
    for step in steps:
        done = await typed(*step)
        assert done.exit_code == 0, (step, done.output)
    own = await typed("verify", one, "1", "--as", OWNER)
    assert own.exit_code == 1
    assert "Refused: whoever owns a task" in own.output
    rest = (
        ("reject", one, "1", "--reason", "还差1户", "--as", "督查室"),
        ("complete", one, "1", "--evidence", "全部领证", "--as", OWNER),
        ("verify", one, "1", "--as", "督查室"),
        ("long-term", one, "2", "--plan", "每年复查", "--review", "2199-01-01", "--as", "督查室"),
        ("review", one, "2", "--found", "有序推进", "--review", "2199-06-01", "--as", "督查室"),
        ("policy", one, "京规自发〔2021〕1号", "--as", LEAD),
    )
    for step in rest:
        done = await typed(*step)
        assert done.exit_code == 0, (step, done.output)
    early = await typed("close", one, "--as", "市政务局")
    assert early.exit_code == 1
    assert "not assessed" in early.output
    assert (
        await typed("assess", one, "--survey", "91.31", "--visits", "1200", "--as", "调查队")
    ).exit_code == 0
    listed = await typed("list")
    assert "items 0/1 (0.00 %), tasks 1/2 (50.00 %), long-term 1, overdue 0" in listed.output
    assert (await typed("close", one, "--as", "市政务局")).exit_code == 0
    assert "so already" in (await typed("close", one, "--as", "市政务局")).output
    shown = await typed("show", one)
    assert "closed (ASSESSMENT)" in shown.output
    assert f"{OWNER}: was refused: " in shown.output
    named = json.loads((await typed("candidates", "--since", "2020-01-01", "--json")).stdout)[0]
    assert named["named_by"] == [], "closed: it takes nothing on any more"


async def test_a_list_is_typed_and_closed_by_an_exception(database: str, city_here: None) -> None:
    drawn = await typed("draw-up", "2021", "STREET", STREET, "新增车位", "--as", STREET, "--json")
    one = json.loads(drawn.stdout)[0]["programme_id"]
    listed = json.loads((await typed("list", "--year", "2021", "--json")).stdout)
    assert [(row["when"], row["item_rate"], row["task_rate"]) for row in listed] == [
        ("2021 STREET", None, None)
    ]
    assert "items 0/0 (-)" in (await typed("list")).output
    assert (await typed("close", one, "--exception", "并入", "--as", STREET)).exit_code == 1
    closed = await typed("close", one, "--exception", "并入区清单", "--as", "区政府")
    assert closed.exit_code == 0
    assert "closed (EXCEPTION)" in closed.output


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("propose", "2021-13", "x", "--lead", "a", "--as", "b"), "MONTH: '2021-13'"),
        (("propose", "2021-01", "", "--lead", LEAD, "--as", "b"), "title"),
        (("propose", "2021-01", "x", "--lead", "a", "--as", " "), "--as: expected words"),
        (("draw-up", "2021", "CITY", "a", "x", "--as", "b"), "expected one of MUNICIPAL, DISTRICT, STREET"),
        (("task", "abcd", "1", "x", "--owner", "a", "--due", "soon", "--as", "b"), "--due: 'soon'"),
        (("assess", "abcd", "--survey", "many", "--visits", "1", "--as", "b"), "--survey: 'many'"),
        (("long-term", "abcd", "1", "--review", "2022-01-01", "--as", "b"), "Missing option '--plan'"),
        (("candidates", "--since", "2022-01-01", "--until", "2021-01-01"), "--since: 2022-01-01"),
        (("adopt", "abcd"), "--as"),
    ],
)
async def test_what_is_typed_wrongly_is_named(
    database: str, city_here: None, words: tuple[str, ...], what: str
) -> None:
    found = await typed(*words)
    assert found.exit_code == 2, found.output
    assert what in found.output
