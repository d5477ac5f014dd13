"""A city is put back on another server and goes on: with the Kafka it had, or with an empty one."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
import pytest

from deploy.city.endpoints import CityEndpoints
from deploy.city.registry import City as Served
from deploy.embedded.postgres import binary
from deploy.embedded.stack import Addresses
from hotline.audit.digest import digest
from hotline.audit.verify import verify
from hotline.governance.log import programmes
from hotline.readside.process import take_in
from hotline.upkeep.archive import attach, detach, months, move
from hotline.upkeep.backup import DUMP_FILE, MANIFEST_FILE, backup, manifest_of
from hotline.upkeep.lists import rebuild_lists
from hotline.upkeep.restore import Restored, restore
from shared.ids import UnitId, complaint_id
from shared.inputs import WithdrawRequest
from shared.log.anchoring import FileCopy, anchor, hand_on
from shared.policy.catalogue import catalogue
from shared.runtime.errors import UserError
from shared.topics import DISPATCH_ORDERS, INTAKE_REQUESTS, INTAKE_RESULTS
from tests import examples as eg
from tests.city import STREETS, UNIT, City, until
from tests.hotline.conftest import Desks
from tests.hotline.test_archive import AFTER, MONTH
from tests.hotline.test_proactive import BEGUN, TASK
from tests.hotline.test_verify import SOLVED, UNSOLVED, drain, several_lives
from tests.present import present_is
from tests.sources import embedded

pytestmark = pytest.mark.connected

WITHIN: Final = 90.0
UNITS: Final = list(STREETS.values())


@pytest.fixture(scope="session")
async def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Addresses]:
    """Another Kafka and another PostgreSQL, whose transactions have only begun."""
    async with embedded(tmp_path_factory.mktemp("elsewhere") / "stack") as (_, addresses):
        yield addresses


def name_of(number: int) -> str:
    return f"kept-{number}"


async def record(town: City, *numbers: int) -> None:
    for number in numbers:
        await town.record(name_of(number), street=list(STREETS)[number % len(UNITS)])


async def answer(town: City, *numbers: int) -> None:
    for number in numbers:
        complaint, unit = complaint_id(name_of(number)), UNITS[number % len(UNITS)]
        await town.sign(complaint, unit)
        await town.answer(complaint, unit)


async def until_count(town: City, kind: str, count: int) -> None:
    async def there() -> bool:
        return bool(await town.value("SELECT count(*) FROM es.event WHERE type = $1", kind) >= count)

    await until(there, within=WITHIN, what=f"{count} times {kind}", every=0.1)


async def half_lived(town: City) -> None:
    """Twelve complaints: three closed, three asked about, six at their units."""
    await record(town, *range(12))
    await until_count(town, "ComplaintDispatched", 12)
    await answer(town, *range(6))
    await until_count(town, "VisitScheduled", 6)
    for number in range(3):
        await town.visit(complaint_id(name_of(number)))
    await until_count(town, "ComplaintClosed", 3)


async def finish(town: City) -> None:
    """Everybody outside says, or says again, what the log waits for, until every life has ended."""
    give_up_at = time.monotonic() + WITHIN
    number_of = {complaint_id(name_of(number)): number for number in range(100)}
    told: set[tuple[str, str]] = set()
    while True:
        rows = await town.sql(
            "SELECT s.stream_id::text, array_agg(e.type) FROM es.stream s JOIN es.event e USING (stream_id)"
            " WHERE s.state::json -> 'ended' IS NULL GROUP BY 1"
        )
        if not rows:
            return
        for complaint, types in rows:
            if "VisitScheduled" in types and (complaint, "visit") not in told:
                await town.visit(complaint)
                told.add((complaint, "visit"))
            elif (
                "ComplaintDispatched" in types
                and "OrderAnswered" not in types
                and (complaint, "answer") not in told
            ):
                await answer(town, number_of[complaint])
                told.add((complaint, "answer"))
        assert time.monotonic() < give_up_at, f"still open: {[tuple(row) for row in rows]}\n{town.logs()}"
        await asyncio.sleep(0.2)


async def facts_of(dsn: str) -> set[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return {tuple(row) for row in await connection.fetch("SELECT stream_id, version, hash FROM es.fact")}
    finally:
        await connection.close()


async def many_transactions(dsn: str) -> None:
    """So that what is restored would be of the future where it goes."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "DO $$ BEGIN FOR i IN 1..30000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
        )
    finally:
        await connection.close()


def served(endpoints: CityEndpoints, catalogue_path: str = "") -> Served:
    return Served(endpoints=endpoints, catalogue=catalogue_path)


@asynccontextmanager
async def put_back(
    town: City, addresses: Addresses, folder: Path, home: Path
) -> AsyncIterator[tuple[City, Restored]]:
    """The city as it was, on this server; none of its processes runs yet."""
    path = str(town.folder / "catalogue.json")
    units = catalogue(path).units
    endpoints, restored = await restore(addresses, folder, town.endpoints.name, units)
    again = City(endpoints, home, units=list(units), stack=None, options={"catalogue": path}, idle_ms=20)
    try:
        yield again, restored
    finally:
        await again.close()
        admin = await asyncpg.connect(addresses.database("postgres"))
        await admin.execute(f'DROP DATABASE "{endpoints.name}" WITH (FORCE)')
        await admin.close()


@pytest.mark.parametrize("relays", [1, 2])
async def test_with_the_kafka_it_had_a_city_goes_on_and_hears_again_what_came_after_the_backup(
    city: Callable[..., Awaitable[City]], stack: Addresses, elsewhere: Addresses, tmp_path: Path, relays: int
) -> None:
    counts, shards = {"relay": relays}, {"RELAY_SHARDS": str(relays)}
    town = await city()
    await town.sql("SELECT es.set_relay_shards($1)", relays)
    file = tmp_path / "anchors.jsonl"
    await many_transactions(town.endpoints.owner_dsn)
    await town.start(counts=counts, extra=shards)
    await half_lived(town)
    owner = await asyncpg.connect(town.endpoints.owner_dsn)
    await anchor(owner)
    # Taken in the middle of work: requests come in all the while.
    coming = asyncio.ensure_future(record(town, *range(12, 40)))
    manifest = await backup(served(town.endpoints, str(town.folder / "catalogue.json")), tmp_path / "kept")
    await coming
    await until_count(town, "ComplaintDispatched", 40)
    # What the backup knows nothing of.
    await answer(town, *range(6, 9))
    for number in range(3, 6):
        await town.visit(complaint_id(name_of(number)))
    await record(town, *range(40, 44))
    await until_count(town, "ComplaintDispatched", 44)
    await until_count(town, "ComplaintClosed", 6)
    await anchor(owner)
    await hand_on(owner, FileCopy(file), None)
    await owner.close()
    await town.settled()
    await town.stop()
    before = await facts_of(town.endpoints.owner_dsn)

    here = Addresses(kafka=stack.kafka, postgres=elsewhere.postgres, zipkin=None)
    async with put_back(town, here, tmp_path / "kept", tmp_path / "again") as (again, restored):
        assert restored.same_kafka
        kept = await facts_of(again.endpoints.owner_dsn)
        assert kept < before
        assert len(kept) == manifest.facts == restored.facts
        assert await again.value("SELECT max(xid)::text::bigint FROM es.event") <= 3

        await again.start(counts=counts, extra={**shards, "RELAY_ANCHORS_FILE": str(file)})
        await until_count(again, "ComplaintDispatched", 44)
        await finish(again)
        await again.settled(within=WITHIN)

        assert kept <= await facts_of(again.endpoints.owner_dsn)
        counted = await again.verify()
        assert counted["ComplaintReceived"] == counted["ComplaintClosed"] == 44
        assert counted["ComplaintDispatched"] == 44
        owner = await asyncpg.connect(again.endpoints.owner_dsn)
        await anchor(owner)
        copy = FileCopy(file)
        await hand_on(owner, copy, await copy.last())
        await owner.close()
        await again.stop()
        report = await verify(
            again.endpoints.logins["reader"],
            kafka=again.endpoints.kafka,
            prefix=again.endpoints.prefix,
            anchors=file,
        )
        assert report.problems == []
        assert (report.restores, report.not_anchored) == (1, 0)
        assert report.anchors_void >= 1


async def test_with_an_empty_kafka_open_lives_are_told_again_and_what_was_parked_stays(
    city: Callable[..., Awaitable[City]], elsewhere: Addresses, tmp_path: Path
) -> None:
    town = await city()
    await many_transactions(town.endpoints.owner_dsn)
    await town.start()
    await town.tell(INTAKE_REQUESTS, name_of(12), WithdrawRequest(request_id=name_of(12)))
    await until(town.parked, what="a withdrawal of what is not on record")
    await half_lived(town)
    await town.settled()
    await backup(served(town.endpoints), tmp_path / "kept")
    await town.stop()
    before = await facts_of(town.endpoints.owner_dsn)

    async with put_back(town, elsewhere, tmp_path / "kept", tmp_path / "again") as (again, restored):
        assert not restored.same_kafka
        assert await facts_of(again.endpoints.owner_dsn) == before
        of_open_lives = await again.value(
            "SELECT count(*) FROM es.event JOIN es.stream s USING (stream_id) WHERE s.state::json -> 'ended' IS NULL"
        )
        assert restored.sent_again == of_open_lives > 0
        (waiting,) = await again.parked()
        assert waiting["kafka_offset"] < 0

        await again.start()
        # It lies at the offset the first one had: another message, not the same again.
        await again.tell(INTAKE_REQUESTS, name_of(12), WithdrawRequest(request_id=name_of(12)))
        await until_parked(again, 2)
        await finish(again)
        await again.settled(within=WITHIN)
        assert before <= await facts_of(again.endpoints.owner_dsn)
        counted = await again.verify()
        assert (
            counted["ComplaintReceived"] == counted["ComplaintClosed"] == counted["ComplaintDispatched"] == 12
        )

        await record(again, 12)
        await until_count(again, "ComplaintDispatched", 13)
        await again.release(waiting["parked_id"])
        await until_count(again, "ComplaintWithdrawn", 1)
        await again.settled(within=WITHIN)
        await again.verify()


async def test_a_parking_that_no_speaker_heard_of_before_the_backup_is_told_after_it_and_no_other(
    city: Callable[..., Awaitable[City]], elsewhere: Addresses, tmp_path: Path
) -> None:
    town = await city()
    await town.start("intake", "relay")
    await town.tell(INTAKE_REQUESTS, "heard", WithdrawRequest(request_id="heard"))
    (heard,) = await town.messages(town.topic(INTAKE_RESULTS), count=1, within=WITHIN)
    await sent_and_noted(town, "es.parking_notice", "es.parking_relay")
    await town.stop()
    await town.start("intake")
    await town.tell(INTAKE_REQUESTS, "unheard", WithdrawRequest(request_id="unheard"), event_id="unheard")
    await until_parked(town, 2)
    await town.stop()
    await backup(served(town.endpoints), tmp_path / "kept")
    async with put_back(town, elsewhere, tmp_path / "kept", tmp_path / "again") as (again, _):
        await again.start("relay")
        (told,) = await again.messages(again.topic(INTAKE_RESULTS), count=1, within=WITHIN)
        assert b'"id":"unheard"' in told.value
        assert dict(told.headers)["ce_id"] != dict(heard.headers)["ce_id"]


async def test_what_no_owner_heard_of_its_tasks_before_the_backup_it_hears_after_it_and_nothing_twice(
    city: Callable[..., Awaitable[City]], elsewhere: Addresses, tmp_path: Path
) -> None:
    owned = msgspec.structs.replace(TASK, owner=UnitId(UNIT))
    town = await city()
    topic = DISPATCH_ORDERS, UNIT
    async with programmes(town.endpoints.logins["governor"]) as log:
        await town.start("relay")
        await log.record([*BEGUN[:-1], owned])
        await town.messages(town.topic(*topic), count=1, within=WITHIN)
        await sent_and_noted(town, "es.programme_fact", "es.programme_relay")
        await town.stop()
        await log.record([msgspec.structs.replace(owned, task=2, title="未听到的")])
    await backup(served(town.endpoints), tmp_path / "kept")
    async with put_back(town, elsewhere, tmp_path / "kept", tmp_path / "again") as (again, _):
        await again.start("relay")
        (told,) = await again.messages(again.topic(*topic), count=1, within=WITHIN)
        assert "未听到的".encode() in told.value
        async with programmes(again.endpoints.logins["governor"]) as log:
            await log.record([msgspec.structs.replace(owned, task=3, title="后来的")])
        later = await again.messages(again.topic(*topic), count=2, within=WITHIN)
        assert "后来的".encode() in later[1].value


async def sent_and_noted(town: City, table: str, cursor: str) -> None:
    """The relay sends a notice first and moves its cursor then: killed in between, it sends it again."""

    async def noted() -> bool:
        left = f"SELECT count(*) FROM {table} n, {cursor} c WHERE NOT pg_visible_in_snapshot(n.xid, c.snap_a)"
        return bool(await town.value(left) == 0)

    await until(noted, within=WITHIN, what=f"{cursor} behind what was sent")


async def until_parked(town: City, count: int) -> None:
    async def there() -> bool:
        return len(await town.parked()) == count

    await until(there, within=WITHIN, what=f"{count} parked")


async def test_what_was_sent_and_not_written_down_is_sent_again_and_dropped_by_its_mark(
    city: Callable[..., Awaitable[City]], stack: Addresses, elsewhere: Addresses, tmp_path: Path
) -> None:
    town = await city()
    await many_transactions(town.endpoints.owner_dsn)
    await town.start("intake", "feedback")
    await record(town, *range(10))
    await until_count(town, "ComplaintClassified", 10)
    began = await town.value("SELECT snap_a::text FROM es.relay")
    await town.start("relay")
    feedback = "SELECT coalesce(sum(next_offset), 0) FROM es.consumer_offset WHERE consumer = 'feedback' AND topic = $1"
    log = town.endpoints.prefix + "complaints.log"

    async def all_heard() -> bool:
        return bool(await town.value(feedback, log) == 20)

    await until(all_heard, within=WITHIN, what="feedback has heard all", every=0.1)
    await town.stop()
    assert await town.value("SELECT batch FROM es.relay") == 1
    # As a crash of PostgreSQL leaves it, for which the end of a batch need not be on the disk.
    await town.sql(
        "UPDATE es.relay SET snap_a = $1::text::pg_snapshot, snap_b = pg_current_snapshot(), pos = 0", began
    )
    await backup(served(town.endpoints), tmp_path / "kept")
    await town.stop()

    here = Addresses(kafka=stack.kafka, postgres=elsewhere.postgres, zipkin=None)
    async with put_back(town, here, tmp_path / "kept", tmp_path / "again") as (again, restored):
        assert (restored.same_kafka, restored.sent_again) == (True, 20)
        await again.start()
        await until_count(again, "ComplaintDispatched", 10)
        await again.settled(within=WITHIN)
        assert await again.metric("feedback", "door.relay_repeats") == 20
        assert await again.metric("dispatch", "door.relay_repeats") == 20
        await finish(again)
        await again.settled(within=WITHIN)
        counted = await again.verify()
        assert counted["ComplaintDispatched"] == counted["ComplaintClosed"] == 10


async def test_timers_come_back_and_fire(
    city: Callable[..., Awaitable[City]], elsewhere: Addresses, tmp_path: Path
) -> None:
    town = await city()
    await town.start()
    await record(town, 0)
    await until_count(town, "ComplaintDispatched", 1)
    await town.settled()
    await town.stop()
    timers = await town.sql("SELECT * FROM es.timer ORDER BY 1, 2")
    await backup(served(town.endpoints), tmp_path / "kept")
    async with put_back(town, elsewhere, tmp_path / "kept", tmp_path / "again") as (again, _):
        assert await again.sql("SELECT * FROM es.timer ORDER BY 1, 2") == timers
        last = max(row["due_at"] for row in timers)
        # Past the limit for the answer, whose row holds its first warning.
        await again.sql(present_is(last + 4 * eg.DAY))
        await again.start()
        await until_count(again, "SignLimitMissed", 1)
        await until_count(again, "AnswerLimitMissed", 1)


async def test_the_archive_comes_along_whether_its_months_are_attached_or_not(
    desks: Desks, stack: Addresses, elsewhere: Addresses, tmp_path: Path
) -> None:
    await several_lives(desks)
    await drain(desks)
    await move(desks.operator, AFTER)
    await detach(desks.operator, MONTH)
    await desks.tell(replace(eg.ANSWER, complaint_id=SOLVED))  # its month is away, and it says one thing more
    report, number, known = await verify(desks.dsn), await digest(desks.dsn), await months(desks.dsn)
    name = desks.dsn.rpartition("/")[2]
    endpoints = CityEndpoints(name=name, kafka=stack.kafka, owner_dsn=desks.dsn)
    await backup(served(endpoints), tmp_path / "kept")

    again, _ = await restore(elsewhere, tmp_path / "kept", name, UNITS)
    try:
        after = await verify(again.owner_dsn)
        after.seconds, after.drained = report.seconds, report.drained
        assert after == report
        assert report.problems == []
        assert await digest(again.owner_dsn) == number
        (month,) = await months(again.owner_dsn)
        assert replace_bytes(month) == replace_bytes(known[0])
        await attach(again.logins["operator"], MONTH)
        whole = await verify(again.owner_dsn)
        assert (whole.problems, whole.detached) == ([], 0)
        connection = await asyncpg.connect(again.owner_dsn)
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await connection.execute("DELETE FROM es.event WHERE stream_id = $1", UNSOLVED)
        await connection.close()
    finally:
        admin = await asyncpg.connect(elsewhere.database("postgres"))
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


async def test_the_lists_come_along_and_are_brought_up_by_the_first_look(
    desks: Desks, stack: Addresses, elsewhere: Addresses, tmp_path: Path
) -> None:
    """Snapshots and transaction ids of another server mean nothing: the lives that were not taken in are found."""
    await take_in(desks.dsn)
    await several_lives(desks)
    await desks.owner.execute(
        "INSERT INTO intake.call (call_id, told) VALUES ('c-1', ARRAY[intake.told($1, 'offered')])",
        eg.CALLED_AT,
    )
    await desks.owner.execute("UPDATE intake.call SET xid = '1000000000000'")  # a server that has seen much
    name = desks.dsn.rpartition("/")[2]
    await backup(served(CityEndpoints(name=name, kafka=stack.kafka, owner_dsn=desks.dsn)), tmp_path / "kept")
    again, _ = await restore(elsewhere, tmp_path / "kept", name, UNITS)
    try:
        assert await take_in(again.logins["projector"]) == 6 + 1
        assert await take_in(again.logins["projector"]) == 0
        report = await verify(again.owner_dsn)
        assert report.problems == []
        assert "lists" in report.compared
        done = await rebuild_lists(again.logins["operator"])
        assert (done.removed, done.added) == (0, 0)
    finally:
        admin = await asyncpg.connect(elsewhere.database("postgres"))
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


def replace_bytes(month: Any) -> Any:
    return (month.month, month.lives, month.facts, month.attached)


# -- what cannot be


@pytest.fixture
async def kept(desks: Desks, stack: Addresses, tmp_path: Path) -> tuple[Path, str]:
    """A backup of six lives, and its city's name."""
    await several_lives(desks)
    name = desks.dsn.rpartition("/")[2]
    await backup(served(CityEndpoints(name=name, kafka=stack.kafka, owner_dsn=desks.dsn)), tmp_path / "kept")
    return tmp_path / "kept", name


async def databases_of(addresses: Addresses, name: str) -> list[str]:
    admin = await asyncpg.connect(addresses.database("postgres"))
    try:
        rows = await admin.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", name)
    finally:
        await admin.close()
    return [row[0] for row in rows]


async def test_a_city_that_is_there_is_not_written_over(
    kept: tuple[Path, str], stack: Addresses, desks: Desks
) -> None:
    folder, name = kept
    number = await digest(desks.dsn)
    with pytest.raises(UserError, match=f"This server has a city '{name}'"):
        await restore(stack, folder, name, UNITS)
    assert await digest(desks.dsn) == number


async def test_a_backup_that_is_not_what_it_was_is_refused(
    kept: tuple[Path, str], elsewhere: Addresses
) -> None:
    folder, name = kept
    dump = folder / DUMP_FILE
    whole = dump.read_bytes()
    dump.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(UserError, match="its SHA-256 is not the one in backup.json"):
        await restore(elsewhere, folder, name, UNITS)
    manifest = folder / MANIFEST_FILE
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**told, "format": 2}))
    with pytest.raises(UserError, match="is of format 2, expected 1"):
        manifest_of(folder)
    manifest.write_text(json.dumps({**told, "facts": "many"}))
    with pytest.raises(UserError, match=r"Expected `int`, got `str` - at `\$.facts`"):
        manifest_of(folder)
    manifest.unlink()
    with pytest.raises(UserError, match="is no backup: it holds no backup.json"):
        manifest_of(folder)
    assert await databases_of(elsewhere, name) == []


async def test_stopped_in_the_middle_nothing_is_there_and_the_next_one_does_it(
    kept: tuple[Path, str], elsewhere: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, name = kept

    async def fails(*_: Any) -> None:
        raise UserError("PostgreSQL went away")

    with monkeypatch.context() as broken:
        broken.setattr("hotline.upkeep.restore._adapt", fails)
        with pytest.raises(UserError, match="went away"):
            await restore(elsewhere, folder, name, UNITS)
    assert await databases_of(elsewhere, name) == []
    admin = await asyncpg.connect(elsewhere.database("postgres"))
    await admin.execute(f'CREATE DATABASE "{name}_restoring"')  # what a kill leaves
    await restore(elsewhere, folder, name, UNITS)
    assert await databases_of(elsewhere, name) == [name]
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


async def test_a_backup_is_a_folder_of_its_own_or_none(
    desks: Desks, stack: Addresses, tmp_path: Path
) -> None:
    endpoints = CityEndpoints(name="x", kafka=stack.kafka, owner_dsn=desks.dsn)
    (tmp_path / "there").mkdir()
    with pytest.raises(UserError, match="is there already"):
        await backup(served(endpoints), tmp_path / "there")
    with pytest.raises(FileNotFoundError):
        await backup(served(endpoints, str(tmp_path / "no-catalogue.json")), tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


async def test_no_password_stands_on_a_command_line(
    kept: tuple[Path, str], elsewhere: Addresses, desks: Desks, stack: Addresses, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder, name = kept
    said = tmp_path / "typed"

    def watched(program: str) -> str:
        script = tmp_path / program
        script.write_text(f'#!/bin/sh\necho "$0 $@" >> "{said}"\nexec "{binary(program)}" "$@"\n')
        script.chmod(0o755)
        return str(script)

    monkeypatch.setattr("hotline.upkeep.backup.binary", watched)
    await backup(
        served(CityEndpoints(name=name, kafka=stack.kafka, owner_dsn=desks.dsn)), tmp_path / "once-more"
    )
    endpoints, _ = await restore(elsewhere, folder, name, UNITS)
    typed = said.read_text()
    assert typed.count("pg_dump") == 1
    assert typed.count("pg_restore") == 4
    for dsn in (desks.dsn, endpoints.owner_dsn):
        assert dsn.partition("//")[2].partition("@")[0].partition(":")[2] not in typed
    admin = await asyncpg.connect(elsewhere.database("postgres"))
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()
