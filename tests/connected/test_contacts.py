"""Contacts in a real vault, at the real door: the current assignee reads, a former unit is refused and logged (T29)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from deploy.city.registry import City as Served
from deploy.embedded.stack import Addresses
from deploy.supervision.supervisor import Service
from hotline.audit.verify import PERSONAL, verify
from hotline.contact_details import (
    Keys,
    callers_key_of,
    keep_key,
    key_of,
    of_caller,
    overdue,
    put,
    shred,
)
from hotline.upkeep.backup import DUMP_FILE, backup
from hotline.upkeep.restore import restore
from hotline.web.roles import HttpListener, KeyScope, usual_scopes
from services.dispatch.contact_policy import Asker, Seen
from services.dispatch.contact_reading import Reading, read
from shared import roles
from shared.contacts.callers import CallersKey
from shared.contacts.details import CannotUnseal, Contact, MasterKey, contact_of
from shared.events import (
    ComplaintClosed,
    ComplaintDispatched,
    ReturnApproved,
    ReturnRequested,
    VisitScheduled,
)
from shared.ids import ComplaintId, UnitId
from shared.log.acts import acting
from shared.personal import PATTERN, numbers_in
from shared.runtime.errors import UserError
from tests.city import OTHER_UNIT, UNIT, City, until
from tests.shared.test_personal import HOLDS, HOLDS_NONE
from tests.web.door import Door, open_door

pytestmark = pytest.mark.connected

NAME, PHONE, CALLBACK = "欧阳修远", "13800138000", "010-65129876"
LI: Final = contact_of(NAME, PHONE, CALLBACK)
AGENT: Final = "agent-7"
CALLERS: Final = CallersKey(b"c" * 32)
FULL_WIDTH: Final = str.maketrans("0123456789", "０１２３４５６７８９")


def served(town: City) -> Served:
    return Served(endpoints=town.endpoints, logs=str(town.folder / "home" / "logs"))


async def opened(city: Callable[..., Awaitable[City]]) -> tuple[City, MasterKey]:
    """A city with the keys that `hotline up` makes; nothing runs yet."""
    town = await city()
    home = town.folder / "home"
    home.mkdir()
    assert await keep_key(home, town.endpoints) is None
    assert (home / "contacts.key").stat().st_mode & 0o777 == 0o600
    return town, key_of(served(town))


async def dispatched(town: City, name: str, **fields: Any) -> ComplaintId:
    complaint = await town.record(name, **fields)
    await town.until_fact(complaint, ComplaintDispatched)
    return complaint


async def test_a_callers_complaints_are_found_again_by_a_number_that_is_kept_nowhere(
    city: Callable[..., Awaitable[City]],
) -> None:
    town, key = await opened(city)
    await town.start("intake", "dispatch", "relay")
    agents, callers = town.endpoints.logins["agent"], callers_key_of(served(town))
    first, second, other = [await dispatched(town, f"caller {number}") for number in range(3)]
    for one, contact in (
        (first, LI),
        (second, contact_of(NAME, CALLBACK)),
        (other, contact_of(NAME, "13800138001")),
    ):
        await put(agents, Keys(key, callers), one, contact, AGENT)
    assert await of_caller(agents, callers, "+86 138-0013-8000", AGENT, 10) == [first]
    assert await of_caller(agents, callers, "01065129876", AGENT, 10) == [second, first]
    assert await of_caller(agents, callers, "01065129876", AGENT, 1) == [second]
    assert await of_caller(agents, CALLERS, PHONE, AGENT, 10) == [], "another key finds nothing"
    owner = await asyncpg.connect(town.endpoints.owner_dsn)
    try:
        noted = await owner.fetch(
            "SELECT who FROM vault.access WHERE stream_id = $1 AND outcome = 'FOUND'", first
        )
        assert [row["who"] for row in noted] == [AGENT, AGENT]
        kept = str(await owner.fetch("SELECT * FROM vault.caller"))
        assert not any(digits in kept for digits in (PHONE, "01065129876", PHONE.encode().hex()))
        # Another contact in its place is found by its own number, and what is shredded by none.
        await put(agents, Keys(key, callers), first, contact_of(NAME, "13900139000"), AGENT)
        assert await of_caller(agents, callers, PHONE, AGENT, 10) == []
        async with acting(town.endpoints.login("operator")) as operator:
            assert await shred(operator, [first], "asked for") == 1
        assert await of_caller(agents, callers, "13900139000", AGENT, 10) == []
        assert await owner.fetchval("SELECT count(*) FROM vault.caller WHERE stream_id = $1", first) == 0
    finally:
        await owner.close()
    for login in ("intake", "dispatch", "visitor", "reader"):
        connection = await asyncpg.connect(town.endpoints.logins[login])
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT vault.of_caller($1, 'x', 1)", callers.index(PHONE))
        await connection.close()


async def returned(town: City, complaint: ComplaintId) -> None:
    await town.ask_return(complaint)
    await town.until_fact(complaint, ReturnRequested)
    await town.review(complaint)
    await town.until_fact(complaint, ComplaintDispatched, count=2)


async def asked(
    town: City, key: MasterKey, complaint: ComplaintId, asker: Asker, reason: str = ""
) -> Reading:
    dsn = town.endpoints.logins["staff" if asker.unit else "agent"]
    connection = await asyncpg.connect(dsn)
    try:
        return await read(connection, key, complaint, asker, through="COMMAND", reason=reason)
    finally:
        await connection.close()


async def access(town: City, complaint: ComplaintId) -> list[tuple[str, str, str]]:
    rows = await town.sql(
        "SELECT who, outcome, reason FROM vault.access WHERE stream_id = $1 ORDER BY number", complaint
    )
    return [tuple(row) for row in rows]


@asynccontextmanager
async def doors(town: City) -> AsyncIterator[Door]:
    """The HTTP door of a city that `opened` opened: with the keys in the files that `hotline up` writes."""
    home, folder = town.folder / "home", town.folder / "http"
    folder.mkdir()

    def with_files(service: Service) -> Service:
        told = {name: value for name, value in service.env.items() if "CONTACTS" not in name}
        told["WEB_CONTACTS_POSTGRES"] = service.env["WEB_CONTACTS_POSTGRES"]
        told["WEB_CONTACTS_KEY_FILE"] = str(home / "contacts.key")
        return replace(service, env=told)

    async with open_door(town, folder, projector=False, wired=with_files) as door:
        yield door


async def called(
    door: Door, complaint: str, typed: str = "", reason: str = "", method: str = "GET"
) -> tuple[int, dict[str, Any]]:
    """The status and the body; of a refused contact only how the unit stands to it."""
    client = door.client(typed, HttpListener.STAFF)
    answer = await client.request(method, f"/contacts/{complaint}", params={"reason": reason})
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    return answer.status_code, {"refused": told["refused"]} if "refused" in told else told


async def keys_of(door: Door) -> dict[str, str]:
    return {unit: await door.key(roles.UNIT, unit, scopes=[KeyScope.CONTACTS]) for unit in (UNIT, OTHER_UNIT)}


async def test_a_unit_reads_returns_and_is_refused_and_the_other_unit_reads(
    city: Callable[..., Awaitable[City]],
) -> None:
    """T29, R9, I1: the whole journey at the real door; every reading is in the log, the contact nowhere else."""
    town, key = await opened(city)
    await town.start()
    complaint = await dispatched(town, "contact-1")
    await put(town.endpoints.logins["agent"], Keys(key, CALLERS), complaint, LI, AGENT)
    async with doors(town) as door:
        of = await keys_of(door)
        full = {"complaint_id": complaint, "seen": "FULL", "name": NAME, "phone": PHONE, "callback": CALLBACK}
        full |= {"email": None, "address": None, "texts": []}
        assert await called(door, complaint, of[UNIT]) == (200, full)
        assert await called(door, complaint, of[OTHER_UNIT]) == (403, {"refused": "STRANGER"})
        await returned(town, complaint)
        assert await called(door, complaint, of[UNIT], "再问一次") == (403, {"refused": "STRANGER"})
        assert await called(door, complaint, of[OTHER_UNIT]) == (200, full)
        assert await access(town, complaint) == [
            (AGENT, "PUT", ""),
            (UNIT, "FULL", ""),
            (OTHER_UNIT, "REFUSED", ""),
            (UNIT, "REFUSED", "再问一次"),
            (OTHER_UNIT, "FULL", ""),
        ]

        await town.sign(complaint, OTHER_UNIT, 2)
        await town.answer(complaint, OTHER_UNIT, 2)
        await town.until_fact(complaint, ReturnApproved)
        await town.settled()
        await town.visit(complaint)
        await town.until_fact(complaint, ComplaintClosed)
        assert await called(door, complaint, of[OTHER_UNIT]) == (403, {"refused": "OVER"})
        said = door.log.read_text()

    await town.settled()
    await town.verify()
    written = town.logs(lines=100_000) + said
    assert '"contact_read"' in written
    messages = [
        m for topic in ("complaints.log",) for m in await town.messages(town.endpoints.prefix + topic)
    ]
    assert messages
    everywhere = [written.encode(), *(m.value or b"" for m in messages)]
    for statement in (
        "SELECT body FROM es.event",
        "SELECT state::bytea FROM es.stream",
        "SELECT sealed FROM vault.contact",
    ):
        everywhere += [row[0] for row in await town.sql(statement)]
    for part in (NAME, PHONE, CALLBACK):
        assert not [where for where in everywhere if part.encode() in where]
    assert of[UNIT].partition(".")[2] not in written


async def test_the_door_says_what_is_wrong_and_gives_nothing_out(
    city: Callable[..., Awaitable[City]],
) -> None:
    town, key = await opened(city)
    await town.start("intake", "dispatch", "relay")
    complaint = await dispatched(town, "contact-2")
    await put(town.endpoints.logins["agent"], Keys(key, CALLERS), complaint, LI, AGENT)
    unknown = "0" * 8 + complaint[8:]
    kept = town.folder / "home" / "contacts.key"
    async with doors(town) as door:
        of = await keys_of(door)
        assert (await called(door, complaint))[0] == 401
        mixed = f"{of[OTHER_UNIT].partition('.')[0]}.{of[UNIT].partition('.')[2]}"
        assert (await called(door, complaint, mixed))[0] == 401
        assert (await called(door, complaint, "nobody.nothing"))[0] == 401
        reads_lists = await door.key(roles.UNIT, UNIT, scopes=usual_scopes(roles.UNIT))
        assert (await called(door, complaint, reads_lists))[0] == 403
        status, told = await called(door, "17", of[UNIT])
        assert (status, told["field"]) == (400, "complaint")
        assert (await called(door, complaint, of[UNIT], "x" * 501))[0] == 400
        assert (await called(door, complaint, of[UNIT], method="POST"))[0] == 405
        # Whether a guessed complaint is on record is not for a unit to learn.
        stranger = (403, {"refused": "STRANGER"})
        assert await called(door, unknown, of[OTHER_UNIT]) == stranger
        assert await called(door, complaint, of[OTHER_UNIT]) == stranger
        kept.rename(kept.with_name("elsewhere"))
        assert (await called(door, complaint, of[UNIT]))[0] == 503
        assert "contacts_without_master_key" in door.log.read_text()
        kept.with_name("elsewhere").rename(kept)
        assert (await called(door, complaint, of[UNIT]))[0] == 200
    assert await access(town, complaint) == [
        (AGENT, "PUT", ""),
        (OTHER_UNIT, "REFUSED", ""),
        (UNIT, "FULL", ""),
    ]


async def test_a_number_typed_into_a_text_is_read_by_the_unit_alone_and_lies_on_no_topic_but_its_senders(
    city: Callable[..., Awaitable[City]],
) -> None:
    """R9: the fact holds a mark; what it stands for goes with the contact."""
    town, key = await opened(city)
    town._options = {**town._options, "contacts_public": town.folder / "home" / "contacts.public"}
    await town.start()
    complaint = await dispatched(town, "contact-11", title=f"停水，打{PHONE}", content=f"房东{CALLBACK}")
    hidden = await dispatched(town, "contact-12", content=f"打{PHONE}", anonymous=True)
    numbers = {"〔电话1〕": PHONE, "〔电话2〕": CALLBACK}
    found = await asked(town, key, complaint, Asker(UnitId(UNIT)))
    assert {one.mark: one.number for one in found.texts} == numbers
    assert (found.contact, found.sight.seen) == (None, Seen.FULL)
    assert (await asked(town, key, complaint, Asker(UnitId(OTHER_UNIT)))).texts == ()
    await put(town.endpoints.logins["agent"], Keys(key, CALLERS), complaint, LI, AGENT)
    with_contact = await asked(town, key, complaint, Asker(agent=AGENT))
    assert (with_contact.contact, with_contact.texts) == (LI, found.texts)
    anonymous = await asked(town, key, hidden, Asker(UnitId(UNIT)))
    assert (anonymous.contact, [one.number for one in anonymous.texts]) == (None, [PHONE])

    await town.settled()
    everywhere = [row[0] for row in await town.sql("SELECT body FROM es.event")]
    everywhere += [row[0] for row in await town.sql("SELECT convert_to(state::text, 'UTF8') FROM es.stream")]
    for topic in ("complaints.log", f"dispatch.orders.{UNIT}"):
        everywhere += [m.value or b"" for m in await town.messages(town.endpoints.prefix + topic)]
    assert any("〔电话1〕".encode() in where for where in everywhere)
    assert not [where for where in everywhere if PHONE.encode() in where or CALLBACK.encode() in where]
    assert (await verify(town.endpoints.logins["reader"])).notices == []

    async with acting(town.endpoints.login("operator")) as operator:
        assert await shred(operator, [complaint, hidden], "asked for") == 2
    assert await asked(town, key, hidden, Asker(UnitId(UNIT))) == ((Seen.NOTHING, "ASSIGNEE"), None, ())
    assert await town.value("SELECT count(*) FROM vault.text_number") == 0
    intake = await asyncpg.connect(town.endpoints.logins["intake"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await intake.fetch("SELECT * FROM vault.text_number")
    await intake.close()


async def test_an_agent_reads_his_own_and_what_is_shredded_is_never_read_again(
    city: Callable[..., Awaitable[City]],
) -> None:
    """R9: not after its retention time either, and then no key opens what is left."""
    town, key = await opened(city)
    await town.start("intake", "dispatch", "relay")
    complaint = await dispatched(town, "contact-3")
    await put(town.endpoints.logins["agent"], Keys(key, CALLERS), complaint, LI, AGENT)
    assert (await asked(town, key, complaint, Asker(agent=AGENT))).contact == LI
    assert (await asked(town, key, complaint, Asker(agent="agent-8"))).sight.seen is Seen.REFUSED
    with pytest.raises(CannotUnseal, match="master key"):
        await asked(town, MasterKey(bytes(32)), complaint, Asker(UnitId(UNIT)))

    async with acting(town.endpoints.login("operator")) as operator:
        assert (
            await overdue(operator, await town.value("SELECT clock_timestamp() + interval '9 years'")) == []
        )
        assert await shred(operator, [complaint], "he asked for it") == 1
        assert await shred(operator, [complaint], "he asked for it") == 0
    assert await asked(town, key, complaint, Asker(UnitId(UNIT))) == ((Seen.NOTHING, "ASSIGNEE"), None, ())
    assert await town.value("SELECT count(*) FROM vault.key") == 0
    assert [row[:2] for row in await access(town, complaint)] == [
        (AGENT, "PUT"),
        (AGENT, "FULL"),
        ("agent-8", "REFUSED"),
        (UNIT, "FULL"),
        ("operator", "SHREDDED"),
        (UNIT, "NOTHING"),
    ]


async def test_what_has_ended_is_due_after_the_retention_time_of_its_rule_set(
    city: Callable[..., Awaitable[City]],
) -> None:
    town, key = await opened(city)
    await town.start()
    complaint = await dispatched(town, "contact-4")
    await put(town.endpoints.logins["agent"], Keys(key, CALLERS), complaint, LI, AGENT)
    await town.answer(complaint)
    await town.until_fact(complaint, VisitScheduled)
    await town.visit(complaint)
    await town.until_fact(complaint, ComplaintClosed)
    async with acting(town.endpoints.login("operator")) as operator:
        for days, due in ((179, []), (181, [complaint])):
            now = await operator.fetchval("SELECT clock_timestamp() + make_interval(days => $1)", days)
            assert await overdue(operator, now) == due
    with pytest.raises(UserError, match="has ended: no contact is kept"):
        await put(town.endpoints.logins["agent"], Keys(key, CALLERS), complaint, LI, AGENT)


async def test_a_return_waits_for_a_reading_and_a_reading_behind_it_is_refused(
    city: Callable[..., Awaitable[City]],
) -> None:
    """T29: what is decided is decided on the head as of the commit of the access row."""
    town, key = await opened(city)
    await town.start()
    complaint = await dispatched(town, "contact-5")
    await put(town.endpoints.logins["agent"], Keys(key, CALLERS), complaint, LI, AGENT)
    await town.ask_return(complaint)
    await town.until_fact(complaint, ReturnRequested)
    connection = await asyncpg.connect(town.endpoints.logins["staff"])
    try:
        async with connection.transaction():
            assert await connection.fetchrow("SELECT * FROM vault.look($1)", complaint)
            await town.review(complaint)

            async def held_up() -> bool:
                return bool(
                    await town.value(
                        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
                    )
                )

            await until(held_up, what="the return waiting for the reading")
            assert "ReturnApproved" not in await town.story(complaint)
        await town.until_fact(complaint, ReturnApproved)
    finally:
        await connection.close()
    assert (await asked(town, key, complaint, Asker(UnitId(UNIT)))).sight.seen is Seen.REFUSED


async def test_who_may_do_what_in_the_vault_is_the_databases_word(
    city: Callable[..., Awaitable[City]],
) -> None:
    """R9: the auditor's login reads who read, and nothing that is sealed; no desk speaks as another."""
    town, key = await opened(city)
    await town.start("intake", "dispatch", "relay")
    complaint = await dispatched(town, "contact-6")
    await put(town.endpoints.logins["agent"], Keys(key, CALLERS), complaint, LI, AGENT)
    note = "SELECT * FROM vault.note('{}', 'x', '{}', 'DOOR', 'FULL', 'ASSIGNEE', '')"
    tries = {
        "reader": (
            "SELECT sealed FROM vault.contact",
            "SELECT * FROM vault.key",
        ),
        "feedback": (f"SELECT * FROM vault.look('{complaint}')", "SELECT * FROM vault.access"),
        "intake": (f"SELECT * FROM vault.look('{complaint}')", note.format(complaint, "AGENT")),
        "agent": (
            "SELECT sealed FROM vault.contact",
            "SELECT * FROM vault.key",
            note.format(complaint, "UNIT"),
            note.format(complaint, "VISITOR"),
            "SELECT count(*) FROM es.event",
            f"SELECT vault.shred(ARRAY['{complaint}']::uuid[], '')",
        ),
        "dispatch": (f"SELECT * FROM vault.look('{complaint}')", note.format(complaint, "UNIT")),
        "web": (f"SELECT * FROM vault.look('{complaint}')", note.format(complaint, "UNIT")),
        "staff": (
            "SELECT * FROM vault.contact",
            "DELETE FROM vault.key",
            note.format(complaint, "AGENT"),
            f"SELECT vault.shred(ARRAY['{complaint}']::uuid[], '')",
        ),
    }
    for login, statements in tries.items():
        connection = await asyncpg.connect(town.endpoints.logins[login])
        for statement in statements:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(statement)
        await connection.close()
    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await town.sql("DELETE FROM vault.access")


async def test_verify_names_an_access_to_no_complaint_and_notices_a_phone_number_in_a_fact(
    city: Callable[..., Awaitable[City]],
) -> None:
    """R9."""
    town, key = await opened(city)
    await town.start("intake", "dispatch", "relay")
    complaint = await dispatched(town, "contact-7", content=f"请打 {PHONE}")
    clean = await dispatched(town, "contact-8")
    wide = await dispatched(town, "contact-9", content=f"请打{PHONE.translate(FULL_WIDTH)}。")
    behind_a_line_break = await dispatched(town, "contact-10", content=f"电话：\n{PHONE}")
    for one in (complaint, clean, wide, behind_a_line_break):
        await put(town.endpoints.logins["agent"], Keys(key, CALLERS), one, LI, AGENT)
    nobody = "0" * 8 + complaint[8:]
    await town.sql("SELECT vault.note($1, 'x', 'UNIT', 'DOOR', 'REFUSED', 'STRANGER', '')", nobody)
    report = await verify(town.endpoints.logins["reader"])
    assert [(p.complaint_id, p.what) for p in report.problems] == [
        (nobody, "its contact or the access to it is on record, and the complaint is not")
    ]
    noticed = [(p.complaint_id, p.what) for p in report.notices]
    assert sorted(noticed) == sorted(
        (named, f"version {version} ({kind}): {PERSONAL}")
        for named in (complaint, wide, behind_a_line_break)
        for version, kind in ((1, "ComplaintReceived"), (3, "ComplaintDispatched"))
    )
    assert (report.notice_count, clean in dict(noticed)) == (6, False)
    assert "hotline request correct" in report.what_to_do


async def test_python_and_postgresql_find_the_same_numbers(city: Callable[..., Awaitable[City]]) -> None:
    """R9: one pattern, asked before a text is sent and over what is on record."""
    town, _ = await opened(city)
    connection = await asyncpg.connect(town.endpoints.owner_dsn)
    try:
        for text in (*HOLDS, *HOLDS_NONE):
            there = await connection.fetchval("SELECT normalize($1, NFKC) ~ $2", text, PATTERN)
            assert there is bool(numbers_in(text)), text
    finally:
        await connection.close()


async def test_a_backup_carries_the_vault_sealed_and_the_master_key_opens_it_again(
    city: Callable[..., Awaitable[City]], stack: Addresses, tmp_path: Path
) -> None:
    town, key = await opened(city)
    await town.start()
    complaint = await dispatched(town, "contact-9")
    await put(town.endpoints.logins["agent"], Keys(key, CALLERS), complaint, LI, AGENT)
    await town.settled()
    await town.stop()
    catalogue = str(town.folder / "catalogue.json")
    await backup(Served(endpoints=town.endpoints, catalogue=catalogue), tmp_path / "kept")
    assert PHONE.encode() not in (tmp_path / "kept" / DUMP_FILE).read_bytes()
    assert not [file for file in (tmp_path / "kept").iterdir() if file.name.endswith(".key")]
    name = f"{town.endpoints.name}_again"
    endpoints, _ = await restore(stack, tmp_path / "kept", name, [UNIT])
    try:
        connection = await asyncpg.connect(endpoints.logins["staff"])
        found = await read(connection, key, complaint, Asker(UnitId(UNIT)), through="COMMAND")
        await connection.close()
        assert found.contact == Contact(name=NAME, phone=PHONE, callback=CALLBACK)
        lost = await keep_key(tmp_path, endpoints)
        assert lost is not None
        assert "is missing, and 1 contacts were kept with it" in lost
        assert not (tmp_path / "contacts.key").exists()
        assert not (tmp_path / "callers.key").exists()
    finally:
        admin = await asyncpg.connect(stack.database("postgres"))
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()
