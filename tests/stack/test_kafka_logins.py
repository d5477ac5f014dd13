"""Kafka lets nobody in without a login, and nobody do more than the table of topics says."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from deploy.city import client_settings, kafka_logins
from deploy.city.admission import Admission
from deploy.city.endpoints import CityEndpoints
from deploy.city.kafka_rights import (
    DESKS,
    OPERATOR,
    OUTSIDE,
    PLAIN_LOGINS,
    PRINCIPALS,
    Login,
    granted,
    login_of,
    web_of,
)
from deploy.city.making import make_topics
from deploy.embedded.stack import Stack
from shared.doors.heard import by_login, of_login
from shared.ids import TOGETHER
from shared.roles import CITIZENS, RELAY, ROLES, UNIT
from shared.runtime import kafka_address
from shared.runtime.errors import UserError
from shared.topic_names import names
from shared.topics import TOPICS, Topic

CITY: Final = "guarded"
PREFIX: Final = "guarded."
UNITS: Final = ("street-a", "street-b")
NAMED: Final = "web"
TOPICS_THERE: Final[dict[str, Topic]] = names(PREFIX, UNITS) | {
    PREFIX + of_login(line, NAMED): line for line in TOPICS if by_login(line)
}
LOGINS: Final = {
    login.principal: login
    for login in (
        *map(Login, PLAIN_LOGINS),
        *(Login(role, NAMED) for role in PLAIN_LOGINS),
        *(Login(UNIT, unit) for unit in UNITS),
    )
}
"""One of each role, one more of each role with a name, and two units."""
EVERYBODY: Final = (*PRINCIPALS, OUTSIDE, *LOGINS)
READ, WRITE = "read", "write"
REFUSED_SECONDS: Final = 20.0
"""Patience with a busy machine: who may is answered in milliseconds, and who may not as well."""


class Guarded:
    """A stack of its own with the topics of a small city, and who may go where."""

    def __init__(self, stack: Stack, kafka: str, logins: dict[str, str]) -> None:
        self.stack = stack
        self.kafka = kafka
        self.logins = logins


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    stack = Stack(
        tmp_path_factory.mktemp("guarded") / "stack", zipkin=False, durable=False, kafka_heap_mb=256
    )
    addresses = await stack.up(lambda _: None)
    try:
        await make_topics(addresses.kafka, TOPICS_THERE)
        logins = await asyncio.to_thread(kafka_logins.make, addresses.kafka, CITY, PREFIX, simulated=True)
        wanted = set(TOPICS_THERE)
        assert await may_write(addresses.kafka, *wanted) == wanted  # something to read, in each of them
        for principal, login in LOGINS.items():
            logins[principal] = await asyncio.to_thread(
                kafka_logins.add, addresses.kafka, CITY, PREFIX, login
            )
        yield Guarded(stack, addresses.kafka, logins)
    finally:
        await stack.down()


async def may_read(address: str, *topics: str) -> set[str]:
    """Those of these topics whose first message comes to who has this login."""
    return await asyncio.to_thread(_read, address, topics)


def _read(address: str, topics: tuple[str, ...]) -> set[str]:
    errors: list[int] = []
    told: dict[str, Any] = {"group.id": "nobody's", "enable.auto.commit": False, "socket.timeout.ms": 5000}
    told["error_cb"] = lambda error: errors.append(error.code())
    consumer = Consumer({**kafka_address.librdkafka(address), **told})
    try:
        seen = consumer.list_topics(timeout=REFUSED_SECONDS / 2).topics
    except KafkaException:
        consumer.poll(1)  # hands the errors over
        consumer.close()
        assert KafkaError._AUTHENTICATION in errors, (
            errors
        )  # a login that is not there any more reads nothing
        return set()
    refused = {topic for topic in topics if topic not in seen}  # who may read a topic sees that it is there
    consumer.assign([TopicPartition(topic, 0, 0) for topic in topics if topic in seen])
    came: set[str] = set()
    until = time.monotonic() + REFUSED_SECONDS
    try:
        while came | refused < set(topics) and time.monotonic() < until:
            message = consumer.poll(0.2)
            if message is not None and message.topic() is not None:
                (came if message.error() is None else refused).add(str(message.topic()))
    finally:
        consumer.close()
    return came


async def may_write(address: str, *topics: str) -> set[str]:
    """Those of these topics that can be written by who has this login."""
    return await asyncio.to_thread(_write, address, topics)


def _write(address: str, topics: tuple[str, ...]) -> set[str]:
    producer = Producer({**kafka_address.librdkafka(address), "acks": "all", "message.timeout.ms": 5000})
    written: set[str] = set()

    def told(error: Any, message: Any) -> None:
        if error is None:
            written.add(message.topic())

    for topic in topics:
        producer.produce(topic, b"x", partition=0, on_delivery=told)
    producer.flush(REFUSED_SECONDS)
    return written


async def _offsets(admin: AIOKafkaAdminClient, group: str) -> None:
    """Ask for a group's offsets; the first who asks any group waits until Kafka has made their topic."""
    while True:
        try:
            await admin.list_consumer_group_offsets(group)
        except (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError, GroupLoadInProgressError):
            await asyncio.sleep(0.1)
        else:
            return


async def may_join(address: str, *groups: str) -> set[str]:
    """Those of these consumer groups whose offsets are told to who has this login."""
    admin = AIOKafkaAdminClient(**kafka_address.aiokafka(address))
    await admin.start()
    joined: set[str] = set()
    try:
        async with asyncio.timeout(REFUSED_SECONDS):
            for group in groups:
                with suppress(GroupAuthorizationFailedError):
                    await _offsets(admin, group)
                    joined.add(group)
    finally:
        await admin.close()
    return joined


def expected(who: str, topic: str, line: Topic) -> set[str]:
    """Gives the rights of this one on this topic, by the table of topics."""
    if who in LOGINS:
        return _of_login(LOGINS[who], topic.removeprefix(PREFIX), line)
    if who == RELAY:
        own_end = {READ} if line.name == "complaints.anchors" else set()  # it goes on from its own last line
        return {WRITE} | own_end if line.speaker == RELAY else set()
    if who == OPERATOR:
        return {READ} if line.name == "complaints.anchors" else set()
    if who == OUTSIDE:
        return {READ} if line.speaker == RELAY else {WRITE}
    if who.startswith("command-"):
        role = who.removeprefix("command-")
        if not line.per_unit and topic != PREFIX + line.name:
            return set()  # another login's
        return ({READ} if role in line.hearers else set()) | ({WRITE} if role == line.speaker else set())
    if who == web_of(CITIZENS):  # what citizens answer on their page, and no other login's answers
        return {WRITE} if topic == f"{PREFIX}feedback.visit-results" else set()
    if who.startswith("web-"):  # for every system of its role over HTTP, so on each one's topic
        role = who.removeprefix("web-")
        follows = role == UNIT and line.per_unit and UNIT in line.hearers
        return ({READ} if follows else set()) | ({WRITE} if role == line.speaker else set())
    hears = set(DESKS) if who == TOGETHER else {who}
    return {READ} if hears & set(line.hearers) else set()


def _of_login(login: Login, topic: str, line: Topic) -> set[str]:
    if line.per_unit:
        if login.role != UNIT or not topic.endswith(f".{login.name}"):
            return set()
    elif topic not in {line.name, f"{line.name}.{login.name}"}:
        return set()
    elif by_login(line) and (topic == line.name) is bool(login.name):
        return set()  # the plain topic is for who has no name, and the other way round
    return ({READ} if login.role in line.hearers else set()) | (
        {WRITE} if login.role == line.speaker else set()
    )


@pytest.mark.connected
@pytest.mark.parametrize("who", EVERYBODY)
async def test_everybody_does_what_the_table_says_and_nothing_else(guarded: Guarded, who: str) -> None:
    """Every pair of one who may and one who may not, on every topic."""
    address = guarded.logins[who]
    wanted = {topic: expected(who, topic, line) for topic, line in TOPICS_THERE.items()}
    read, written = await asyncio.gather(may_read(address, *wanted), may_write(address, *wanted))
    assert read == {topic for topic, may in wanted.items() if READ in may}
    assert written == {topic for topic, may in wanted.items() if WRITE in may}


@pytest.mark.connected
@pytest.mark.parametrize("who", LOGINS)
async def test_a_login_joins_groups_of_its_own_name_only(guarded: Guarded, who: str) -> None:
    """Tried with the groups of everybody else, of the desks, and with one that only looks like its own."""
    own = LOGINS[who].groups(PREFIX)
    groups = {one.groups(PREFIX) + "desk" for one in LOGINS.values()}
    groups |= {f"{PREFIX}{desk}.log" for desk in DESKS} | {"desk", f"{who}x.desk", f"{PREFIX}{who}x.desk"}
    assert await may_join(guarded.logins[who], *sorted(groups)) == ({own + "desk"} if own else set())


def test_a_role_has_groups_where_it_hears_something() -> None:
    for login in LOGINS.values():
        hears = any(login.role in line.hearers for line in TOPICS)
        assert login.groups("x.").startswith("x.") is hears, login


def test_who_speaks_and_who_hears_is_a_desk_the_relay_or_a_role_and_every_role_does_either() -> None:
    named = {line.speaker for line in TOPICS} | {one for line in TOPICS for one in line.hearers}
    assert named - set(DESKS) - {RELAY} == ROLES.keys()
    assert not [(a, b) for a in ROLES for b in ROLES if b.startswith(f"{a}-")]
    assert [login_of(one) for one in (*PRINCIPALS, OUTSIDE)] == [None] * (len(PRINCIPALS) + 1)
    assert {name: login_of(name) for name in LOGINS} == LOGINS


def test_the_page_for_who_connects_a_system_names_every_role() -> None:
    page = (Path(__file__).parents[2] / "docs" / "integration.md").read_text(encoding="utf-8")
    assert not [role for role in ROLES if f"`{role}`" not in page]


def test_a_command_without_a_login_of_its_role_says_what_is_missing() -> None:
    endpoints = CityEndpoints(name="old", kafka="", owner_dsn="", kafka_logins={"outside": "x"})
    with pytest.raises(
        UserError, match=r"'dialler' here\. .*`hotline up`\. .* the secret kafka-command-dialler\."
    ):
        endpoints.commands_of("dialler")


def test_where_kafka_asks_nobody_the_settings_name_no_login() -> None:
    admitted = Admission(
        login=Login("dialler"), address="127.0.0.1:9", writes={"v": 4}, reads=("r",), groups="dialler."
    )
    said = json.dumps(client_settings.document(admitted))
    assert "sasl" not in said
    assert client_settings.librdkafka(admitted)["client"]["security.protocol"] == "PLAINTEXT"


def test_nobody_in_a_city_that_is_not_simulated_may_write_at_two_doors() -> None:
    doors = {
        who: {
            line.name
            for line in TOPICS
            for grant in granted(who, "")
            if line.is_door
            and grant.may is AclOperation.WRITE
            and grant.name.startswith(line.name.partition("{")[0])
        }
        for who in (*PRINCIPALS, OUTSIDE)
    }
    assert len(doors[OUTSIDE]) > 1
    assert {who for who, spoken in doors.items() if len(spoken) > 1} == {OUTSIDE}
    assert all(len(login.topics_spoken) <= 1 for login in LOGINS.values())


@pytest.mark.parametrize(
    ("role", "name", "said"),
    [
        ("relay", "", "no role “relay”: expected one of telephony, agents"),
        ("intake", "", "no role “intake”"),
        ("outside", "", "no role “outside”"),
        ("unit", "", "a unit's login needs the unit's id"),
        ("agents", "web.2", "the name “web.2”: expected a-z, 0-9, _ and -"),
        ("agents", "-web", "the name “-web”"),
    ],
)
def test_a_login_that_cannot_be_is_refused_in_a_sentence(role: str, name: str, said: str) -> None:
    with pytest.raises(ValueError, match="expected|needs") as refused:
        Login(role, name)
    assert str(refused.value).startswith(said)


@pytest.mark.connected
@pytest.mark.parametrize("listener", ["kafka", "kafka_controller"])
async def test_nobody_gets_in_without_a_login_or_with_a_wrong_one(guarded: Guarded, listener: str) -> None:
    from deploy.embedded.state import read_state

    port = read_state(guarded.stack.folder).ports[listener]
    for address in (
        f"127.0.0.1:{port}",
        f"admin:wrong@127.0.0.1:{port}?mechanism=PLAIN",
        f"nobody:nothing@127.0.0.1:{port}",
    ):
        admin = AdminClient({**kafka_address.librdkafka(address), "socket.timeout.ms": 3000})
        with pytest.raises(KafkaException):
            await asyncio.to_thread(admin.list_topics, timeout=3)


@pytest.mark.connected
@pytest.mark.parametrize("who", EVERYBODY)
async def test_nobody_but_the_admin_makes_topics_of_other_names_or_logins(guarded: Guarded, who: str) -> None:
    admin = AdminClient(kafka_address.librdkafka(guarded.logins[who]))
    (made,) = admin.create_topics([NewTopic(f"{PREFIX}gossip", 1, 1)]).values()
    with pytest.raises(KafkaException, match="[Aa]uthori"):
        await asyncio.to_thread(made.result, 10)
    (gone,) = admin.delete_topics([f"{PREFIX}complaints.log"]).values()
    with pytest.raises(KafkaException):
        await asyncio.to_thread(gone.result, 10)
    rule = AclBinding(
        ResourceType.TOPIC, PREFIX, ResourcePatternType.PREFIXED, f"User:{CITY}-{who}", "*",
        AclOperation.ALL, AclPermissionType.ALLOW,
    )  # fmt: skip
    (more,) = admin.create_acls([rule]).values()
    with pytest.raises(KafkaException, match="(?i)authori"):
        await asyncio.to_thread(more.result, 10)


@pytest.mark.connected
async def test_a_login_lasts_over_an_opening_and_has_the_rights_of_the_table_again(guarded: Guarded) -> None:
    """`hotline up` makes the passwords of processes anew, and lets the logins of others be."""
    city, prefix = "lasting", PREFIX
    dialler, unit = Login("dialler"), Login(UNIT, "street-a")
    first = await asyncio.to_thread(kafka_logins.make, guarded.kafka, city, prefix, simulated=True)
    kept = {
        one: await asyncio.to_thread(kafka_logins.add, guarded.kafka, city, prefix, one)
        for one in (dialler, unit)
    }
    log, visits = f"{prefix}complaints.log", f"{prefix}feedback.visits"
    admin = AdminClient(kafka_address.librdkafka(guarded.kafka))
    more = AclBinding(
        ResourceType.TOPIC, log, ResourcePatternType.LITERAL, f"User:{city}-dialler", "*",
        AclOperation.READ, AclPermissionType.ALLOW,
    )  # fmt: skip
    (made,) = admin.create_acls([more]).values()
    await asyncio.to_thread(made.result, 20)
    assert await may_read(kept[dialler], log, visits) == {log, visits}
    assert await may_read(first[OUTSIDE], visits)

    again = await asyncio.to_thread(kafka_logins.make, guarded.kafka, city, prefix)
    assert again.keys() == first.keys() - {OUTSIDE}
    assert not await may_read(first["dispatch"], log)
    assert await may_read(again["dispatch"], log)
    assert not await may_read(first[OUTSIDE], visits)
    assert await may_read(kept[dialler], log, visits) == {visits}
    assert await may_read(kept[unit], f"{prefix}dispatch.orders.street-a")
    assert await asyncio.to_thread(kafka_logins.known, guarded.kafka, city) == [dialler, unit]

    renewed = await asyncio.to_thread(kafka_logins.add, guarded.kafka, city, prefix, dialler)
    assert not await may_read(kept[dialler], visits)
    assert await may_read(renewed, visits)
    await asyncio.to_thread(kafka_logins.drop, guarded.kafka, city, dialler)
    assert not await may_read(renewed, visits)
    assert await asyncio.to_thread(kafka_logins.known, guarded.kafka, city) == [unit]
    await asyncio.to_thread(kafka_logins.remove, guarded.kafka, city)
    assert await asyncio.to_thread(kafka_logins.known, guarded.kafka, city) == []


@pytest.mark.connected
async def test_a_city_that_goes_takes_its_logins_with_it(guarded: Guarded) -> None:
    logins = await asyncio.to_thread(kafka_logins.make, guarded.kafka, "passing", PREFIX)
    topic = f"{PREFIX}complaints.log"
    assert await may_read(logins["dispatch"], topic)
    await asyncio.to_thread(kafka_logins.remove, guarded.kafka, "passing")
    assert not await may_read(logins["dispatch"], topic)
    assert await may_read(guarded.logins["dispatch"], topic)


@pytest.mark.connected
def test_passwords_lie_in_files_of_their_owner_and_on_no_command_line(guarded: Guarded) -> None:
    folder: Path = guarded.stack.folder
    for name in ("kafka.passwords", "server.properties", "postgres.password"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
    said = (folder / "kafka.passwords").read_text() + (folder / "postgres.password").read_text()
    hidden = [word.rpartition(":")[2] for word in said.split()]
    hidden += [kafka_address.parsed(address).password for address in guarded.logins.values()]
    assert all(len(word) > 20 for word in hidden)
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    assert not [line[:60] for line in lines for word in hidden if word in line]
    logs: list[Any] = [path.read_text(errors="replace") for path in (folder / "logs").iterdir()]
    assert not [word for word in hidden for text in logs if word in text]
    assert os.geteuid() == (folder / "server.properties").stat().st_uid
