"""Whoever can write the log can make it true in itself again: the anchors still say what it held."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import Result

from hotline.audit.report import Report
from hotline.audit.verify import verify
from hotline.upkeep.archive import detach, move
from hotline.upkeep.rebuild import rebuild
from shared.ids import ComplaintId
from shared.log.anchoring import CopyDisagrees, FileCopy, anchor, hand_on, last_on_topic, put, sealed
from shared.log.anchors import Anchor, anchor_of, hash_of, line_of
from shared.log.chain import GENESIS, chained
from shared.topics import COMPLAINTS_ANCHORS
from tests import examples as eg
from tests.city import City, until
from tests.hotline.conftest import Desks, typed
from tests.hotline.test_archive import AFTER, MONTH
from tests.hotline.test_rebuild import begins
from tests.hotline.test_verify import (
    LATE,
    NOW,
    ON_THE_SPOT,
    RETURNED,
    SOLVED,
    WITHDRAWN,
    drain,
    fact,
    said_of,
    several_lives,
    unlocked,
)
from tests.present import present_is
from tests.shell import PATIENCE

pytestmark = pytest.mark.connected


class Kept:
    """The anchors of a log and their file, made when a test says so."""

    def __init__(self, desks: Desks, file: Path) -> None:
        self.desks = desks
        self.file = file

    async def anchor(self, stretch_max: int = 4000) -> int:
        made = await anchor(self.desks.owner, stretch_max=stretch_max)
        copy = FileCopy(self.file)
        await hand_on(self.desks.owner, copy, await copy.last())
        return made

    def lines(self) -> list[Anchor]:
        return [anchor_of(line) for line in self.file.read_bytes().splitlines()]

    async def verify(self) -> Report:
        return await verify(self.desks.dsn, anchors=self.file)


@pytest.fixture
async def kept(desks: Desks, tmp_path: Path) -> Kept:
    """Six lives, anchored five facts at a time."""
    await several_lives(desks)
    made = Kept(desks, tmp_path / "anchors.jsonl")
    await made.anchor(5)
    return made


async def test_a_log_is_what_its_anchors_say_and_what_came_after_is_counted(kept: Kept) -> None:
    facts = await kept.desks.owner.fetchval("SELECT count(*) FROM es.event")
    report = await kept.verify()
    assert report.problems == []
    assert (report.anchors, report.anchored, report.not_anchored) == (-(-facts // 5), facts, 0)
    assert "anchors" in report.compared
    await begins(kept.desks, "later")
    await kept.desks.tick(NOW)
    later = await kept.desks.owner.fetchval("SELECT count(*) FROM es.event") - facts
    report = await kept.verify()
    assert (report.problems, report.anchored, report.not_anchored) == ([], facts, later)
    assert later >= 3
    assert await kept.anchor() == 1
    assert await kept.anchor() == 0
    assert (await kept.verify()).not_anchored == 0


async def test_every_line_says_where_it_begins_and_what_it_follows(kept: Kept) -> None:
    before, raw = None, kept.file.read_bytes().splitlines()
    for number, (said, line) in enumerate(zip(kept.lines(), raw, strict=True), start=1):
        assert said.number == number
        assert said.first == (before[0] + 1 if before else 1)
        assert said.previous == (before[1] if before else "0" * 64)
        before = (said.last, hash_of(line).hex())


# -- by hand, as superuser; made true in itself again, so that nothing else gives it away


Forges = Callable[[Desks], Awaitable[tuple[ComplaintId, str]]]
"""Changes the log, makes it true in itself, and says of whom and what the anchors must say."""


async def rechained(desks: Desks, identity: str) -> None:
    """Each hash of this life made to follow from the bytes there are now; then the views."""
    previous = GENESIS
    for row in await desks.owner.fetch(
        "SELECT * FROM es.event WHERE stream_id = $1 ORDER BY version", identity
    ):
        previous = chained(
            previous, identity, row["version"], str(row["event_id"]), row["type"], row["schema_version"],
            row["occurred_at"], row["caused_by"], row["actor"], row["body"],
        )  # fmt: skip
        await unlocked(desks, "UPDATE es.event SET hash = $2 WHERE position = $1", row["position"], previous)
    for view in ("heads", "timers"):
        await rebuild(desks.operator, view)


async def a_changed_byte(desks: Desks) -> tuple[ComplaintId, str]:
    row = await fact(desks, SOLVED, "OrderAnswered")
    body = row["body"].replace(b'"claims_solved":true', b'"claims_solved":false')
    assert body != row["body"]
    await unlocked(desks, "UPDATE es.event SET body = $2 WHERE position = $1", row["position"], body)
    await rechained(desks, SOLVED)
    return SOLVED, f"version {row['version']}: is not what it was in anchor "


async def the_last_fact_removed(desks: Desks) -> tuple[ComplaintId, str]:
    row = await fact(desks, WITHDRAWN, "ComplaintWithdrawn")
    await unlocked(desks, "DELETE FROM es.event WHERE position = $1", row["position"])
    await rechained(desks, WITHDRAWN)
    return WITHDRAWN, f"version {row['version']}: gone since anchor "


async def a_complaint_removed(desks: Desks) -> tuple[ComplaintId, str]:
    facts = await desks.owner.fetchval("SELECT count(*) FROM es.event WHERE stream_id = $1", RETURNED)
    await unlocked(desks, "DELETE FROM es.event WHERE stream_id = $1", RETURNED)
    await desks.owner.execute("DELETE FROM es.stream WHERE stream_id = $1", RETURNED)
    await desks.owner.execute("DELETE FROM es.timer WHERE stream_id = $1", RETURNED)
    return RETURNED, f"the whole complaint is gone, its {facts} facts, since anchor "


async def a_fact_put_in(desks: Desks) -> tuple[ComplaintId, str]:
    """At a position that was given out and never used."""
    await desks.owner.execute(
        "INSERT INTO es.event (position, stream_id, version, event_id, type, schema_version, occurred_at, caused_by,"
        " actor, body, hash) SELECT 1, stream_id, 99, gen_random_uuid(), type, 1, occurred_at, 'x', actor, body, hash"
        " FROM es.event WHERE stream_id = $1 AND version = 1",
        LATE,
    )
    return LATE, "version 99: is not in anchor 1 of "


def _fields(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


@pytest.mark.parametrize("forges", [a_changed_byte, the_last_fact_removed, a_complaint_removed])
async def test_what_was_changed_by_hand_and_made_true_again_is_found_and_named(
    kept: Kept, forges: Forges
) -> None:
    """R17, Q6: who has the keys to the database cannot change what happened without its being seen."""
    broken, said = await forges(kept.desks)
    assert (await verify(kept.desks.dsn)).problems == []  # by itself the log is as true as ever
    report = await kept.verify()
    assert {problem.complaint_id for problem in report.problems} == {broken}
    assert any(what.startswith(said) for what in said_of(report, broken)), report.problems


async def test_a_fact_put_in_where_none_was_is_found_and_named(desks: Desks, tmp_path: Path) -> None:
    await desks.owner.execute("SELECT nextval('es.position_seq')")
    await several_lives(desks)
    kept = Kept(desks, tmp_path / "anchors.jsonl")
    await kept.anchor()
    broken, said = await a_fact_put_in(desks)
    assert any(what.startswith(said) for what in said_of(await kept.verify(), broken))


async def test_the_command_names_the_complaint_that_was_removed_and_ends_with_1(
    kept: Kept, city_here: None
) -> None:
    right = await typed("verify", "--anchors", str(kept.file))
    assert right.exit_code == 0, right.output
    assert "facts after the last one" in right.output
    await a_complaint_removed(kept.desks)
    wrong: Result = await typed("verify", "--anchors", str(kept.file))
    assert wrong.exit_code == 1
    assert f"{RETURNED}  the whole complaint is gone" in wrong.output
    told = json.loads((await typed("verify", "--anchors", str(kept.file), "--json")).stdout)
    assert [problem["complaint_id"] for problem in told["report"]["problems"]] == [RETURNED]
    assert (await typed("verify", "--anchors", str(kept.file.with_name("none")))).exit_code == 2


async def test_whoever_calls_a_removal_a_restore_is_found_and_the_complaint_named(kept: Kept) -> None:
    """The log's own anchors can say anything; the file has the lines from before all the same."""
    broken, _ = await a_complaint_removed(kept.desks)
    last = kept.lines()[-1]
    await put(
        kept.desks.owner,
        Anchor(
            number=last.number + 1, anchored_at=last.anchored_at, first=1, last=0, facts=0, root="0" * 64,
            previous="0" * 64, restored=True,
        ),
    )  # fmt: skip
    await kept.anchor()
    report = await kept.verify()
    assert (report.restores, report.anchors_void) == (1, last.number)
    assert {problem.complaint_id for problem in report.problems} == {broken}
    assert all(what.startswith("gone with a restore: anchor ") for what in said_of(report, broken))


async def put_back(kept: Kept) -> None:
    """What a restore says: the log goes on from its last anchor."""
    row = await kept.desks.owner.fetchrow(
        "SELECT number, last, hash FROM es.anchor ORDER BY number DESC LIMIT 1"
    )
    assert row is not None
    await put(
        kept.desks.owner,
        Anchor(
            number=row["number"] + 1, anchored_at=eg.CALLED_AT, first=row["last"] + 1, last=row["last"], facts=0,
            root="0" * 64, previous=row["hash"].hex(), restored=True,
        ),
    )  # fmt: skip


async def test_a_log_put_back_twice_goes_on_from_where_it_was_each_time(kept: Kept) -> None:
    await put_back(kept)
    await kept.anchor()
    await put_back(kept)  # from a backup that ended with the first restore
    await begins(kept.desks, "later")
    await kept.desks.tick(NOW)
    await kept.anchor()
    report = await kept.verify()
    assert (report.problems, report.restores, report.anchors_void, report.not_anchored) == ([], 2, 0, 0)


async def test_lines_that_were_handed_on_twice_count_once(kept: Kept) -> None:
    lines = kept.file.read_bytes().splitlines(keepends=True)
    kept.file.write_bytes(b"".join([*lines[:4], *lines[1:]]))
    report = await kept.verify()
    assert (report.problems, report.anchors) == ([], len(lines))


# -- the file itself


Damages = Callable[[list[bytes]], list[bytes]]


def a_line_changed(lines: list[bytes]) -> list[bytes]:
    said = anchor_of(lines[1])
    return [lines[0], line_of(Anchor(**{**_fields(said), "facts": 4})), *lines[2:]]


def the_last_line_changed(lines: list[bytes]) -> list[bytes]:
    said = anchor_of(lines[-1])
    return [*lines[:-1], line_of(Anchor(**{**_fields(said), "leaves": b""}))]


def a_line_that_is_no_json(lines: list[bytes]) -> list[bytes]:
    return [lines[0], b"{", *lines[2:]]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: lines[1:], "the anchors begin with number 2: what was before it is missing"),
        (lambda lines: lines[:1] + lines[2:], "anchor 3 follows number 1: what was between is missing"),
        (lambda lines: lines[:-2], "the log goes on to anchor 8, which is not in the file: that ends with 6"),
        (lambda lines: [], "the log goes on to anchor 8, which is not in the file: that ends with 0"),
        (a_line_changed, "anchor 2 is not the line that anchor 3 follows: it was changed"),
        (the_last_line_changed, "the log goes on to anchor 8, which is not in the file: that ends with 8"),
        (a_line_that_is_no_json, "line 2 of the anchors cannot be read: Input data was truncated"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "the anchors begin with number 2"),
    ],
)
async def test_a_file_that_lost_a_line_or_has_another_is_found_out(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, damage: Damages, said: str
) -> None:
    monkeypatch.setattr("hotline.audit.anchors.COPIED_WITHIN", 0.1)
    lines = kept.file.read_bytes().splitlines()
    assert len(lines) == 8
    kept.file.write_bytes(b"".join(line + b"\n" for line in damage(lines)))
    problems = [problem.what for problem in (await kept.verify()).problems]
    assert any(what.startswith(said) for what in problems), problems


async def test_anchors_removed_in_the_log_with_their_facts_are_missed_by_the_file(kept: Kept) -> None:
    """Whoever cuts off the end of the log cuts off its own anchors too."""
    last = kept.lines()[-1]
    gone = [
        (str(row[0]), row[1])
        for row in await kept.desks.owner.fetch(
            "SELECT stream_id, version FROM es.event WHERE position >= $1", last.first
        )
    ]
    await unlocked(kept.desks, "DELETE FROM es.event WHERE position >= $1", last.first)
    await kept.desks.owner.execute("ALTER TABLE es.anchor DISABLE TRIGGER USER")
    await kept.desks.owner.execute("DELETE FROM es.anchor WHERE number = $1", last.number)
    problems = (await kept.verify()).problems
    assert any(
        problem.what == f"the log has lost its own anchors {last.number} to {last.number}"
        for problem in problems
    )
    named = {problem.complaint_id for problem in problems if "gone since anchor" in problem.what}
    assert named == {identity for identity, _ in gone}


async def test_nobody_changes_an_anchor(kept: Kept) -> None:
    for statement in ("UPDATE es.anchor SET last = 0", "DELETE FROM es.anchor", "TRUNCATE es.anchor"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await kept.desks.owner.execute(statement)


# -- stretches


async def test_a_stretch_waits_for_whoever_may_still_write_into_it(desks: Desks) -> None:
    """A position is given out before the commit: an anchor over it would never hold its fact."""
    await several_lives(desks)
    late = await asyncpg.connect(desks.dsn)
    transaction = late.transaction()
    await transaction.start()
    await late.execute("SELECT pg_current_xact_id(), nextval('es.position_seq')")
    try:
        waiting = asyncio.ensure_future(sealed(desks.owner))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
    finally:
        await transaction.rollback()
        await late.close()
    assert await asyncio.wait_for(waiting, PATIENCE * 5) == await desks.owner.fetchval(
        "SELECT last_value FROM es.position_seq"
    )


async def test_an_empty_log_has_no_anchor_and_its_first_position_is_still_free(desks: Desks) -> None:
    assert await sealed(desks.owner) == 0
    assert await anchor(desks.owner) == 0
    await begins(desks, "first")
    assert await anchor(desks.owner) == 1
    assert anchor_of(await desks.owner.fetchval("SELECT line FROM es.anchor")).facts == 3


async def test_anchored_while_the_desks_work_no_fact_is_between_two_stretches(
    desks: Desks, tmp_path: Path
) -> None:
    kept = Kept(desks, tmp_path / "anchors.jsonl")
    await desks.owner.execute(present_is(eg.CALLED_AT))
    other = await asyncpg.connect(desks.dsn)
    stop = asyncio.Event()
    made = rounds = 0

    async def go_on_anchoring() -> None:
        nonlocal made
        while not stop.is_set():
            made += await anchor(other, stretch_max=7)

    anchoring = asyncio.ensure_future(go_on_anchoring())
    try:
        async with asyncio.timeout(PATIENCE * 20):
            while made <= 30 or rounds < 30:  # however long an anchor waits for the desks' transactions
                await begins(desks, *(f"busy-{rounds}-{one}" for one in range(5)))
                rounds += 1
    finally:
        stop.set()
        await anchoring
        await other.close()
    await kept.anchor()
    report = await kept.verify()
    assert (report.problems, report.not_anchored) == ([], 0)
    assert report.anchored == report.facts == 15 * rounds


# -- the archive


async def test_what_is_not_anchored_is_not_archived_and_a_month_that_is_away_is_said_to_be(
    desks: Desks, tmp_path: Path
) -> None:
    await several_lives(desks)
    await drain(desks)
    kept = Kept(desks, tmp_path / "anchors.jsonl")
    await kept.anchor()
    await desks.tell(replace(eg.ANSWER, complaint_id=SOLVED))  # refused: one fact after the anchor
    await drain(desks)
    done = await move(desks.operator, AFTER)
    assert (done.lives, done.left) == (2, 1)
    await kept.anchor()
    assert (await move(desks.operator, AFTER)).lives == 1
    assert (await kept.verify()).problems == []

    await detach(desks.operator, MONTH)
    report = await kept.verify()
    assert report.problems == []
    assert report.not_checkable == await desks.owner.fetchval("SELECT facts FROM es.archive_month")
    broken, said = await a_complaint_removed(desks)
    assert any(what.startswith(said) for what in said_of(await kept.verify(), broken))


async def test_a_fact_changed_in_the_archive_is_found_and_named(kept: Kept) -> None:
    await drain(kept.desks)
    await move(kept.desks.operator, AFTER)
    await kept.desks.owner.execute("ALTER TABLE es.archived_2021_09 DISABLE TRIGGER USER")
    await kept.desks.owner.execute("DELETE FROM es.archived_2021_09 WHERE stream_id = $1", ON_THE_SPOT)
    await kept.desks.owner.execute("DELETE FROM es.archived_life WHERE stream_id = $1", ON_THE_SPOT)
    await kept.desks.owner.execute("DELETE FROM es.stream WHERE stream_id = $1", ON_THE_SPOT)
    assert (await verify(kept.desks.dsn)).problems == []
    said = said_of(await kept.verify(), ON_THE_SPOT)
    assert any(what.startswith("the whole complaint is gone") for what in said)


# -- copies


async def test_a_torn_line_is_taken_away_and_written_again(kept: Kept) -> None:
    whole = kept.file.read_bytes()
    kept.file.write_bytes(whole[:-40])
    await kept.anchor()
    assert kept.file.read_bytes() == whole


async def test_a_file_that_says_something_else_is_left_as_it_is(kept: Kept) -> None:
    kept.file.write_bytes(line_of(Anchor(**{**_fields(kept.lines()[0]), "facts": 99})) + b"\n")
    before = kept.file.read_bytes()
    with pytest.raises(CopyDisagrees):
        await kept.anchor()
    assert kept.file.read_bytes() == before


async def test_a_city_at_work_anchors_its_log_to_a_topic_and_a_file(
    city: Callable[..., Awaitable[City]], tmp_path: Path
) -> None:
    file = tmp_path / "anchors" / "file.jsonl"
    town = await city()
    await town.start(extra={"RELAY_ANCHORS_FILE": str(file)})
    for number in range(5):
        await town.record(f"anchored-{number}")
    await town.settled()

    async def all_there() -> bool:
        lines = file.read_bytes().splitlines() if file.exists() else []
        facts = await town.value("SELECT count(*) FROM es.event")
        return 0 < facts == sum(anchor_of(line).facts for line in lines)

    town.signal("relay")  # whoever takes over anchors at once
    await until(all_there, within=60, what="all facts in the file's anchors")
    report = await verify(
        town.endpoints.logins["reader"],
        kafka=town.endpoints.kafka,
        prefix=town.endpoints.prefix,
        anchors=file,
    )
    assert report.problems == []
    assert report.anchored == report.facts > 0
    on_topic = await last_on_topic(town.endpoints.kafka, town.topic(COMPLAINTS_ANCHORS))
    assert on_topic == file.read_bytes().splitlines()[-1]

    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    await town.sql("ALTER TABLE es.anchor DISABLE TRIGGER USER")
    await town.sql("DELETE FROM es.anchor WHERE number = (SELECT max(number) FROM es.anchor)")
    report = await verify(
        town.endpoints.logins["reader"],
        kafka=town.endpoints.kafka,
        prefix=town.endpoints.prefix,
        anchors=file,
    )
    assert any(
        problem.what.startswith("the topic of anchors goes on to anchor") for problem in report.problems
    )
