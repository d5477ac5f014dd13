"""Standard Webhooks: the published vectors, what is no signature, and signed events on a real city."""

from __future__ import annotations

import json
import subprocess
import time
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx2
import pytest
from standardwebhooks import Webhook

from deploy.city import registry
from deploy.embedded.postgres import binary
from hotline.upkeep.backup import DUMP_FILE, backup
from hotline.web import keys
from hotline.web.events import BATCH
from hotline.web.limits import SECRETS_MAX, SIGNATURES_MAX, SIGNED_SECONDS_MAX
from hotline.web.paths import SIGNED
from hotline.web.roles import HttpListener
from hotline.web.signing import (
    ID,
    SIGNATURE,
    TIMESTAMP,
    MadeSecret,
    WrongTime,
    is_signed,
    new_secret,
    signed_at,
)
from shared import roles
from shared.events import ComplaintReceived
from shared.ids import complaint_id
from shared.inputs import RecordRequest
from shared.log.acts import acting
from shared.log.reading import reader
from shared.runtime.errors import UserError
from shared.structured import CONTENT_TYPE
from tests.city import City, until
from tests.web.door import Door, open_door
from tests.web.test_http import event, new_id, request_body

VECTORS: Final = (
    (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        "msg_loFOjxBNrRLzqYUf",
        "1731705121",
        b'{"event_type":"ping","data":{"success":true}}',
        "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    ),
)
"""The vectors that Standard Webhooks and the service it comes from publish."""
SECRET, MESSAGE, AT, BODY, RIGHT = VECTORS[0]
BYTES: Final = b64decode(SECRET.removeprefix("whsec_"))
OTHER: Final = new_secret().secret


def holds(signature: str, *known: bytes, body: bytes = BODY, message: str = MESSAGE, at: str = AT) -> bool:
    headers = {ID: message, TIMESTAMP: at, SIGNATURE: signature}
    return is_signed(headers, signed_at(headers, float(at)), body, known or (BYTES,))


@pytest.mark.parametrize(("secret", "message", "at", "body", "signature"), VECTORS)
def test_the_published_vectors_hold(secret: str, message: str, at: str, body: bytes, signature: str) -> None:
    known = b64decode(secret.removeprefix("whsec_"))
    assert holds(signature, known, body=body, message=message, at=at)
    assert not holds(signature, OTHER, body=body, message=message, at=at)


def test_any_of_several_signatures_and_secrets_will_do_so_that_they_can_be_changed() -> None:
    assert holds(f"v1,{'A' * 43}= {RIGHT}")
    assert holds(f"v1a,abc {RIGHT} v2,def")
    assert holds(RIGHT, OTHER, BYTES)
    assert not holds(" ".join([f"v1,{'A' * 43}="] * SIGNATURES_MAX + [RIGHT]))


@pytest.mark.parametrize(
    "signature",
    ["", "v1", "v1,", "v1,!", RIGHT.removeprefix("v1,"), RIGHT.replace("v1", "v2"), RIGHT[:-4], f"v1,{RIGHT}",
     "v1,é", RIGHT.replace("g0hM", "G0hM"), RIGHT.replace(",", " ")],
)  # fmt: skip
def test_what_is_no_signature_of_it_is_none(signature: str) -> None:
    assert not holds(signature)


def test_another_body_id_or_time_is_not_signed() -> None:
    assert not holds(RIGHT, body=BODY + b" ")
    assert not holds(RIGHT, body=b"\xff")
    assert not holds(RIGHT, message=MESSAGE + "x")
    assert not holds(RIGHT, message="")
    assert not holds(RIGHT, at=str(int(AT) + 1))


def test_a_time_outside_the_window_is_refused_on_both_sides() -> None:
    now = float(AT)
    for seconds in (-SIGNED_SECONDS_MAX, SIGNED_SECONDS_MAX):
        assert signed_at({TIMESTAMP: AT}, now + seconds) == datetime.fromtimestamp(now, UTC)
        with pytest.raises(WrongTime):
            signed_at({TIMESTAMP: AT}, now + seconds * 1.01)


@pytest.mark.parametrize("at", ["", "now", "-1", "1.5", "1e9", "nan", "9" * 13, "１６１４２６５３３０"])
def test_what_is_no_time_is_refused(at: str) -> None:
    with pytest.raises(WrongTime):
        signed_at({TIMESTAMP: at}, float(AT))


def test_a_new_secret_is_one_of_the_library() -> None:
    made = new_secret()
    at = datetime.fromtimestamp(int(AT), UTC)
    assert is_signed({ID: "m", SIGNATURE: Webhook(made.typed).sign("m", at, "{}")}, at, b"{}", [made.secret])


# --- on a real city


@pytest.fixture(scope="module")
async def door(town: City, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    async with open_door(town, tmp_path_factory.mktemp("signed"), projector=False) as made:
        yield made


class Sender:
    """A system that signs with a secret of a key."""

    def __init__(self, door: Door, typed: str) -> None:
        self.door = door
        self.key_id = typed.partition(".")[0]
        self.client = door.client("", HttpListener.PUBLIC)
        self.secrets: list[MadeSecret] = []

    async def secret(self) -> MadeSecret:
        async with acting(self.door.town.endpoints.login("operator")) as operator:
            made = await keys.add_secret(operator, self.key_id)
        self.secrets.append(made)
        return made

    async def drop(self, made: MadeSecret) -> None:
        async with acting(self.door.town.endpoints.login("operator")) as operator:
            await keys.revoke_secret(operator, made.secret_id)

    async def send(self, events: Any, *secrets: str, **other: Any) -> httpx2.Response:
        batch = isinstance(events, list)
        body = json.dumps(events)
        at = int(time.time()) + other.get("later", 0)
        moment = datetime.fromtimestamp(at, UTC)
        signed = [Webhook(secret).sign("m-1", moment, body) for secret in secrets]
        headers = {
            "Content-Type": other.get("content_type", BATCH if batch else CONTENT_TYPE),
            ID: "m-1",
            TIMESTAMP: str(at),
            SIGNATURE: " ".join(signed),
        }
        path = SIGNED.format(key=other.get("key", self.key_id))
        return await self.client.post(path, content=other.get("body", body), headers=headers)


@pytest.fixture
async def sender(door: Door) -> Sender:
    made = Sender(door, await door.key(roles.AGENTS, sources=["/hooked"]))
    await made.secret()
    return made


def requested(request_id: str, source: str = "/hooked", event_id: str = "") -> dict[str, Any]:
    return event(RecordRequest, source, request_body(request_id), event_id)


@pytest.mark.connected
async def test_signed_events_are_taken_and_again_have_one_effect(town: City, sender: Sender) -> None:
    secret = sender.secrets[0].typed
    one, two = new_id("hook"), new_id("hook")
    events = [requested(one), requested(two)]
    answers = [await sender.send(events, secret), await sender.send(events, secret)]
    answers.append(await sender.send(events[0], secret))
    assert [answer.status_code for answer in answers] == [202] * 3, answers[0].text
    for request_id in (one, two):
        await town.until_fact(complaint_id(request_id), ComplaintReceived)
    await town.settled()
    for request_id in (one, two):
        assert (await town.story(complaint_id(request_id))).count("ComplaintReceived") == 1


@pytest.mark.connected
async def test_who_has_not_signed_is_not_told_whether_there_is_such_a_key(door: Door, sender: Sender) -> None:
    told = requested(new_id())
    wrong, mine = new_secret().typed, sender.secrets[0].typed
    bare = Sender(door, await door.key(roles.AGENTS))
    answers = [
        await sender.send(told, wrong),
        await sender.send(told),
        await sender.send(told, mine, body=json.dumps(told) + " "),
        await sender.send(told, mine, key=bare.key_id),
        await sender.send(told, mine, key="0" * 16),
        await sender.send(told, mine, key="x"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    late = await sender.send(told, mine, later=-SIGNED_SECONDS_MAX - 60)
    assert (late.status_code, late.json()["field"]) == (401, TIMESTAMP)


@pytest.mark.connected
async def test_a_signature_speaks_for_the_sources_of_its_key_in_modes_that_it_covers(sender: Sender) -> None:
    secret = sender.secrets[0].typed
    foreign = await sender.send(requested(new_id(), source="/agents"), secret)
    assert (foreign.status_code, foreign.json()["field"]) == (403, "source")
    binary_mode = await sender.send(request_body(new_id()), secret, content_type="application/json")
    assert (binary_mode.status_code, binary_mode.json()["field"]) == (415, "content-type")


@pytest.mark.connected
async def test_a_sender_changes_its_secret_without_a_pause(door: Door, sender: Sender) -> None:
    old, new = sender.secrets[0], await sender.secret()

    async def taken(*secrets: str) -> bool:
        return (await sender.send(requested(new_id()), *secrets)).status_code == 202

    await until(lambda: taken(new.typed), within=4, what="the new secret taken")
    assert await taken(old.typed)
    assert await taken(old.typed, new.typed)
    await sender.drop(old)

    async def void() -> bool:
        return not await taken(old.typed)

    await until(void, within=4, what="the old secret void")
    assert await taken(new.typed)
    for _ in range(SECRETS_MAX - 1):
        await sender.secret()
    with pytest.raises(UserError, match="has 4 secrets"):
        await sender.secret()
    async with acting(door.town.endpoints.login("operator")) as operator:
        await keys.revoke(operator, sender.key_id)

    async def gone() -> bool:
        return not await taken(new.typed)

    await until(gone, within=4, what="the key void")


@pytest.mark.connected
async def test_a_secret_is_read_by_nobody_but_the_door_and_goes_into_no_backup(
    door: Door, sender: Sender, tmp_path: Path
) -> None:
    for login in ("reader", "operator", "web"):
        connection = await asyncpg.connect(door.town.endpoints.login(login))
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch("SELECT secret FROM web.secret")
        finally:
            await connection.close()
    connection = await reader(door.town.endpoints.login("reader"))
    try:
        ids = {one.secret_id for one in await keys.listed_secrets(connection)}
    finally:
        await connection.close()
    assert sender.secrets[0].secret_id in ids
    await backup(registry.City(endpoints=door.town.endpoints), tmp_path / "kept")
    told = subprocess.run(
        [binary("pg_restore"), "--file=-", tmp_path / "kept" / DUMP_FILE],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert sender.key_id in told
    assert sender.secrets[0].secret_id not in told
    assert sender.secrets[0].secret.hex() not in told
