"""Marks of people in every field of every HTTP route and on pages: found where they may stand, and nowhere else (R9).

A contact is found nowhere outside the vault. A number in a citizen's text is found on its sender's topic alone. What
was refused is found nowhere. Nothing of anything is found in logs, traces and metrics.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from urllib.request import urlopen

import httpx2
import pytest
from confluent_kafka.admin import AdminClient

from deploy.city.endpoints import DESKS
from deploy.city.registry import City as Served
from deploy.embedded.postgres import binary
from deploy.embedded.stack import Addresses
from hotline.upkeep.archive import move
from hotline.upkeep.backup import DUMP_FILE, backup
from hotline.web.roles import LISTENER_OF
from hotline.web.route_shapes import TakenBody
from hotline.web.routes import ROUTES
from services.intake.numbers_in_texts import FIELDS
from shared import roles
from shared.contacts.details import public_written
from shared.events import ComplaintDispatched, ComplaintWithdrawn
from shared.inputs import RecordRequest, WithdrawRequest
from shared.runtime import kafka_address
from shared.topics import INTAKE_REQUESTS
from tests.city import UNIT, City, open_city
from tests.connected.test_traces import Collector, collecting
from tests.sources import Databases
from tests.web.door import MASTER, Door, open_door
from tests.web.marks import FieldKind, Givens, Mark, Planted, planted, tokens_in
from tests.web.marks_of_pages import TYPED, planted_on_pages
from tests.web.test_contacts import contact_of
from tests.web.test_http import followed, new_id, recorded, request_body
from tests.web.test_open311_city import form

pytestmark = pytest.mark.connected

AT_ONCE: Final = 8
"""Requests that are under way at a time."""
REFUSED: Final = {400, 401, 403, 405, 408, 413, 415}
_TABLES: Final = """
SELECT n.nspname || '."' || c.relname || '"' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('es', 'intake', 'vault', 'read', 'web')
"""


class Answered(NamedTuple):
    """A request with a mark, and its answer."""

    mark: Mark
    planted: Planted
    status: int
    text: str

    @property
    def kind(self) -> FieldKind:
        return self.planted.kind

    @property
    def may_stand(self) -> bool:
        """Whether the field may stand in messages and tables at all."""
        sent = self.status not in REFUSED and self.planted.route.method == "POST"
        return sent and self.kind in {FieldKind.SAID, FieldKind.TEXT}

    def __str__(self) -> str:
        return f"{self.planted.route.name} as {self.planted.role}, {self.planted.field}: {self.status}"


class Searched(NamedTuple):
    """A place that was searched, and the tokens that were found there."""

    where: str
    tokens: frozenset[bytes]


class Marked(NamedTuple):
    """The city after all marks were planted, and all that was found in it."""

    town: City
    answered: list[Answered]
    searched: list[Searched]


def forms(api_key: str) -> dict[str, str]:
    return {name: value for name, value in form(api_key).items() if name != "api_key"}


@pytest.fixture(scope="module")
async def marked(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Marked]:
    with collecting() as collector:
        traced = {"TRACES": "zipkin", "TRACES_ENDPOINT": collector.address, "TRACES_RATIO": "1"}
        extra = {
            f"{name.upper()}_{key}": value for name in (*DESKS, "relay") for key, value in traced.items()
        }
        extra |= {f"{desk.upper()}_PARKED_SHARE_MAX": "1" for desk in DESKS}  # most of it makes no sense here
        extra["INTAKE_CONTACTS_PUBLIC_KEY"] = public_written(MASTER)
        folder = tmp_path_factory.mktemp("marks")
        async with open_city(stack, databases, folder, extra=extra) as town:
            await town.start()
            web = tmp_path_factory.mktemp("web")
            async with open_door(town, web) as door:
                answered, streamed = await _plant(town, door)
                searched = [streamed]
                searched += await _metrics(town, web)
                await _archived(town)
                searched += await _topics(town)
                searched += await _tables(town)
                searched += await _dumped(town, folder)
            searched += _files(town.folder / "logs") + _files(web)
            searched += _traces(collector)
            yield Marked(town, answered, searched)


async def _plant(town: City, door: Door) -> tuple[list[Answered], Searched]:
    """Send every request, and follow what the unit is told meanwhile."""
    clients, sources = {}, {}
    for role, listener in LISTENER_OF.items():
        name = UNIT if role == roles.UNIT else ""
        clients[role] = door.client(await door.key(role, name, rate=100_000), listener)
        sources[role] = f"/{role}/{name}" if name else f"/{role}"
    told = await recorded(clients[roles.AGENTS])
    given = Givens(
        complaint=told["complaint_id"], unit=UNIT, source=sources, form=forms(""), request=request_body("r")
    )
    waiting = asyncio.Semaphore(AT_ONCE)

    async def send(mark: Mark, one: Planted) -> Answered:
        async with waiting:
            if one.route.streams:
                return Answered(mark, one, *await _opened(clients[one.role], one))
            client, how = clients[one.role], dict(one.how)
            try:
                answer = await client.request(one.route.method, one.path, **how)
            except httpx2.TransportError:  # an idle connection that the door closed just then
                answer = await client.request(one.route.method, one.path, **how)
            return Answered(mark, one, answer.status_code, answer.text)

    rows = list(planted(map(Mark, iter(range(1, 100_000))), given))
    answered = list(await asyncio.gather(*(send(mark, one) for mark, one in rows)))
    answered += [Answered(*one) for one in await planted_on_pages(door, clients[roles.AGENTS])]
    await town.until_fact(given.complaint, ComplaintDispatched)
    await town.settled(within=60)
    events = await followed(clients[roles.UNIT], 1)
    last = json.dumps(events, ensure_ascii=False)
    count = len(await town.messages(town.endpoints.prefix + f"dispatch.orders.{UNIT}"))
    events = await followed(clients[roles.UNIT], count)
    last = json.dumps(events, ensure_ascii=False)
    return answered, Searched("the stream of the unit", frozenset(tokens_in(last.encode())))


async def _opened(client: httpx2.AsyncClient, one: Planted) -> tuple[int, str]:
    async with client.stream(one.route.method, one.path, **one.how) as answer:
        if answer.status_code == 200:
            return answer.status_code, ""
        await answer.aread()
        return answer.status_code, answer.text


async def _archived(town: City) -> None:
    """Move a life that has ended into a month of the archive."""
    request_id = new_id("ended")
    complaint = await town.record(request_id)
    await town.until_fact(complaint, ComplaintDispatched)
    await town.tell(INTAKE_REQUESTS, request_id, WithdrawRequest(request_id=request_id))
    await town.until_fact(complaint, ComplaintWithdrawn)
    await town.settled()
    moved = await move(town.endpoints.login("operator"), datetime.now(UTC) + timedelta(days=1))
    assert moved.lives >= 1


async def _metrics(town: City, web: Path) -> list[Searched]:
    found = []
    for log in (*(town.folder / "logs").glob("*.log"), *web.glob("*.log")):
        ports = [
            json.loads(line)["port"] for line in log.read_text().splitlines() if '"metrics_served"' in line
        ]
        if ports:
            address = f"http://127.0.0.1:{ports[-1]}/metrics"
            page = await asyncio.to_thread(_page, address)
            found.append(Searched(f"metrics of {log.stem}", frozenset(tokens_in(page))))
    assert len(found) >= len(DESKS) + 3
    return found


def _page(address: str) -> bytes:
    with urlopen(address, timeout=30) as answer:  # noqa: S310 -- our own process
        page: bytes = answer.read()
    return page


async def _topics(town: City) -> list[Searched]:
    admin = AdminClient(kafka_address.librdkafka(town.endpoints.kafka))
    known = await asyncio.to_thread(admin.list_topics, timeout=30)
    found = []
    for topic in sorted(name for name in known.topics if name.startswith(town.endpoints.prefix)):
        held: set[bytes] = set()
        for message in await town.messages(topic):
            headers = b" ".join(value or b"" for _, value in message.headers)
            held |= tokens_in(b" ".join((message.key or b"", message.value or b"", headers)))
        found.append(Searched(f"topic {topic.removeprefix(town.endpoints.prefix)}", frozenset(held)))
    return found


async def _tables(town: City) -> list[Searched]:
    found = []
    for (table,) in await town.sql(_TABLES):
        held: set[bytes] = set()
        for row in await town.sql(f"SELECT * FROM {table}"):
            for value in row.values():
                held |= tokens_in(value if isinstance(value, bytes) else str(value).encode())
        found.append(Searched(f"table {table.replace(chr(34), '')}", frozenset(held)))
    assert any(one.where.startswith("table es.archive") for one in found)
    return found


async def _dumped(town: City, folder: Path) -> list[Searched]:
    """A backup, table by table."""
    await backup(
        Served(endpoints=town.endpoints, catalogue=str(town.folder / "catalogue.json")), folder / "kept"
    )
    dump = str(folder / "kept" / DUMP_FILE)
    done = await asyncio.to_thread(
        subprocess.run,
        [binary("pg_restore"), "--data-only", "-f", "-", dump],
        capture_output=True,
        check=True,
    )
    found = []
    for part in done.stdout.split(b"\nCOPY ")[1:]:
        table = part.split(b" ", 1)[0].decode()
        rows = part.split(b"\n\\.\n", 1)[0].replace(b"\\\\x", b"\\x")
        found.append(Searched(f"backup of {table}", frozenset(tokens_in(rows))))
    assert {"backup of es.event", "backup of vault.contact"} <= {one.where for one in found}
    return found


def _files(folder: Path) -> list[Searched]:
    logs = [file for file in folder.rglob("*") if file.is_file()]
    assert logs
    return [Searched(f"log {file.name}", frozenset(tokens_in(file.read_bytes()))) for file in logs]


def _traces(collector: Collector) -> list[Searched]:
    assert collector.spans
    return [Searched("traces", frozenset(tokens_in(b" ".join(collector.bodies))))]


def hits(marked: Marked, one: Answered, tokens: frozenset[bytes], *but: str) -> list[str]:
    """Where any of these tokens was found, except in places whose name begins so."""
    return [
        f"{one}: in {place.where}"
        for place in marked.searched
        if tokens & place.tokens and not place.where.startswith(but or ("nowhere",))
    ]


def test_a_mark_was_planted_in_every_field_of_every_route(marked: Marked) -> None:
    by_route: dict[str, set[str]] = {}
    for one in marked.answered:
        by_route.setdefault(one.planted.route.name, set()).add(one.planted.field)
    for route in ROUTES:
        fields = by_route.get(route.name, set())
        assert {f"{one.at} {one.name}" for one in route.parameters} <= fields, route.name
        if route.takes is TakenBody.FORM:
            assert set(route.form) <= fields
        if route.input is not None:
            assert {f"{route.input.__name__}.{name}" for name in route.input.__struct_fields__} <= fields
    kinds = Counter(one.kind for one in marked.answered)
    assert set(kinds) == set(FieldKind)
    sent = [one for one in marked.answered if one.may_stand]
    assert len(sent) > 100, "else nothing got far enough to be found"
    assert not [str(one) for one in marked.answered if one.status >= 500]


async def test_what_was_typed_on_pages_was_taken(marked: Marked) -> None:
    """Else it could be found nowhere."""
    typed = [one for one in marked.answered if one.planted.route.name.startswith("page ")]
    assert [str(one) for one in typed if one.status not in {200, 303}] == []
    by_agent = [one for one in typed if one.planted.path == "/record"]
    assert {one.planted.field for one in by_agent} == {*TYPED, "title", "content"}
    told = [one for one in by_agent if one.kind is FieldKind.TEXT]
    stated = frozenset(_letters(marked, "table es.event"))
    assert [str(one) for one in told if not one.mark.letters & stated] == []


def test_nothing_of_anybody_stands_in_logs_traces_and_metrics(marked: Marked) -> None:
    # Identifiers of traces and long fractions hold eleven digits that nobody planted.
    tokens = frozenset[bytes]().union(*(one.mark.tokens for one in marked.answered))
    loud = [
        (one.where, sorted(tokens & one.tokens))
        for one in marked.searched
        if one.where.startswith(("log ", "traces", "metrics ")) and tokens & one.tokens
    ]
    assert loud == []


def test_a_contact_is_found_nowhere_outside_the_vault(marked: Marked) -> None:
    contacts = [one for one in marked.answered if one.kind is FieldKind.CONTACT]
    assert len(contacts) > 20
    assert [hit for one in contacts for hit in hits(marked, one, one.mark.tokens)] == []
    said = [str(one) for one in contacts if one.mark.tokens & tokens_in(one.text.encode())]
    assert said == [], "no answer repeats it either"


async def test_and_in_the_vault_the_unit_finds_it(marked: Marked) -> None:
    sealed = [
        one
        for one in marked.answered
        if one.planted.field == "contact.all of them" and one.planted.route.input is RecordRequest
    ]
    assert sealed
    for one in sealed:
        assert one.status == 200
        contact = await contact_of(marked.town, json.loads(one.text)["complaint_id"])
        assert contact is not None
        assert (contact.name, contact.phone, contact.email, contact.address) == (
            one.mark.name,
            one.mark.phone,
            one.mark.email,
            one.mark.address,
        )


def test_what_was_refused_unknown_or_only_asked_is_found_nowhere(marked: Marked) -> None:
    never = [
        one
        for one in marked.answered
        if not one.may_stand and one.kind not in {FieldKind.CONTACT, FieldKind.REASON}
    ]
    assert len(never) > 100
    assert [hit for one in never for hit in hits(marked, one, one.mark.tokens)] == []


def test_a_reason_is_found_in_the_access_log_alone(marked: Marked) -> None:
    reasons = [one for one in marked.answered if one.kind is FieldKind.REASON]
    assert reasons
    for one in reasons:
        assert hits(marked, one, one.mark.tokens)
        assert hits(marked, one, one.mark.tokens, "table vault.access", "backup of vault.access") == []


def test_of_a_citizens_text_the_words_are_in_the_complaint_and_the_numbers_on_the_senders_topic_alone(
    marked: Marked,
) -> None:
    texts = [one for one in marked.answered if one.kind is FieldKind.TEXT and one.may_stand]
    assert {one.planted.route.input for one in texts} >= set(FIELDS)
    stated = [
        one for one in texts if hits(marked, one, one.mark.letters & set(_letters(marked, "table es.event")))
    ]
    assert len(stated) >= len(FIELDS), "the words are on record"
    its_own = ("topic intake.requests", "table es.parked", "backup of es.parked")
    assert [hit for one in texts for hit in hits(marked, one, one.mark.digits, *its_own)] == []


def _letters(marked: Marked, where: str) -> Iterator[bytes]:
    for one in marked.searched:
        if one.where.startswith(where):
            yield from one.tokens
