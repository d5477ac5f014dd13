"""Ten thousand malformed messages a door: none stops it, none has an effect, each is parked once with its reason.

Each message is a good one, as its sender really sends it, with one thing spoiled; whoever spoils it knows which
field or header that is, and the reason must name it. Good messages stand among them, and each has its one effect.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from typing import Any, Final, NamedTuple, get_args, get_origin
from unicodedata import category

import msgspec
import pytest

from shared.cloudevents import input_headers
from shared.events import ComplaintDispatched
from shared.ids import complaint_id, message_id
from shared.inputs import AboutRequest, CallOffered, Input, RecordRequest
from shared.log.codec import ce_type_of
from shared.rfc3339 import ToldInstant
from shared.topic_names import partition_of
from shared.topics import (
    COMPLAINTS_LOG,
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
    TELEPHONY_CALLS,
    Topic,
)
from shared.wording import FREE, kinds_of
from tests import examples as eg
from tests.city import UNIT, City, request, until
from tests.foreign import BLANKS, HOSTILE
from tests.spoilers import (
    Spoiled,
    bad_attribute,
    bad_structure,
    bad_text,
    bad_text_structured,
    bad_time,
    structured,
)

pytestmark = pytest.mark.connected

BAD_A_DOOR: Final = 10_000
GOOD_A_DOOR: Final = 40
DOORS: Final = (
    INTAKE_REQUESTS,
    TELEPHONY_CALLS,
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_VISIT_RESULTS,
    FEEDBACK_EXCEPTIONS,
)

STREAM: Final = "0" * 8
Headers = list[tuple[str, bytes | None]]


# -- spoiling


def bad_header(random: Random, good: Headers, value: bytes) -> Spoiled:
    name = random.choice(["ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time"])
    spoil = random.choice(["gone", "null", "bytes", "empty", "long", "odd"])
    odd = {
        "ce_specversion": b"2.7",
        "ce_type": b"hotline.gossip.v%d" % random.randrange(99),
        "ce_source": b"/%s" % (b"x" * 300),
        "ce_id": b"y" * random.randrange(257, 2000),
        "ce_time": random.choice([b"yesterday", b"2021-09-24T08:30:00", b"9999-12-31T23:59:59-23:59", b"17"]),
    }
    new = {
        "gone": (),
        "null": ((name, None),),
        "bytes": ((name, b"\xff\xfe" + random.randbytes(4)),),
        "empty": ((name, b""),),
        "long": ((name, b"z" * random.randrange(257, 5000)),),
        "odd": ((name, odd[name]),),
    }[spoil]
    kept: Headers = [pair for pair in good if pair[0] != name]
    return Spoiled([*kept, *new], value, (f"header {name}",))


def bad_value(random: Random, good: Headers, value: bytes) -> Spoiled:
    """Not JSON, or JSON that is no object."""
    broken: list[tuple[bytes | None, str]] = [
        (None, "value: null"),
        (b"", "value: not JSON"),
        (value[: random.randrange(1, len(value))], "value: not JSON"),
        (value + b"}", "value: not JSON"),
        (b"[" * random.randrange(2000, 40_000), "data: Expected `object`"),
        (bytes([random.choice(b"\x00abc)]}")]) + value, "value: not JSON"),
        (value.replace(b":", b";", 1), "value: not JSON"),
        (random.choice([b"[]", b"7", b'"text"', b"true", b"null"]), "data: Expected `object`"),
        (b'{"x": "' + b"a" * 300_000 + b'"}', "value: 3000"),
    ]
    weights = [9, 9, 9, 9, 3, 9, 9, 9, 0.01]
    ((changed, names),) = random.choices(broken, weights)
    return Spoiled(good, changed, (names,))


def bad_field(random: Random, good: Headers, value: bytes, kind: type[Input]) -> Spoiled:
    """One field that is missing, or of another kind than it must be."""
    data: dict[str, Any] = json.loads(value)
    fields = msgspec.structs.fields(kind)
    required = [one.name for one in fields if one.required]
    if required and random.random() < 0.3:
        name = random.choice(required)
        del data[name]
        return Spoiled(good, json.dumps(data).encode(), (f"`{name}`",))
    one = random.choice(fields)
    data[one.name] = random.choice(_wrong(one.type))
    return Spoiled(good, json.dumps(data).encode(), (one.name,))


def _wrong(wanted: Any) -> list[Any]:
    """Values no field of this kind can hold."""
    kinds = {wanted, *get_args(wanted)}
    flat = {inner for kind in kinds for inner in (kind, *get_args(kind))}
    optional = type(None) in flat
    wrong: list[Any] = [[], {}, [1], {"a": 1}]
    if bool in flat:
        return [*wrong, "yes", 1, 0, None, 1.5]
    if int in flat:
        return [*wrong, "1", 1.5, -1, 0, 10**30, True, None]
    if tuple in {get_origin(kind) for kind in kinds}:
        return [{}, {"a": 1}, [1], 7, "x", None]
    if any(isinstance(kind, type) and issubclass(kind, StrEnum) for kind in flat):
        return [*wrong, "GOSSIP", "", 7, *([] if optional else [None])]
    if ToldInstant in flat:
        return [*wrong, "yesterday", 7, True]
    return [*wrong, 7, 1.5, True, "a\0b", "x" * 5000, *([] if optional else [None])]


def blank_words(random: Random, good: Headers, value: bytes, kind: type[Input]) -> Spoiled:
    """A text that is demanded, at whatever depth, shows nothing."""
    of = random.choice(
        [place for place, told in kinds_of(kind).items() if told != FREE and place != "turned_away_to"]
    )
    text = "".join(random.choices([one for one in BLANKS if one != "\x00"], k=random.randrange(1, 4)))
    name, _, inner = of.partition("[]")
    data: dict[str, Any] = json.loads(value)
    if inner:
        photo = {"uri": "s3:photo.jpg", "media_type": "image/jpeg", "sha256": "0" * 64}
        data[name] = [photo | {inner[1:]: text}]
    else:
        data[name] = [text] if "[]" in of else text
    return Spoiled(good, json.dumps(data).encode(), (inner[1:] or name,))


def foreign_identifier(random: Random, good: Headers, value: bytes, kind: type[Input]) -> Spoiled:
    """An identifier of the message, or of what it is about, holds what does not show."""
    odd = random.choice([one for one in BLANKS if category(one[0])[0] != "M" and one not in {" ", "\x00"}])
    header = random.choice(["ce_source", "ce_id", ""])
    if header:
        spoil = f"7{odd}8".encode()
        return Spoiled([(n, spoil if n == header else v) for n, v in good], value, (f"header {header}",))
    name = random.choice(
        [place for place, told in kinds_of(kind).items() if told == "identifier" and "[" not in place]
    )
    data = json.loads(value) | {name: f"{STREAM}{odd}8"}
    return Spoiled(good, json.dumps(data).encode(), (name,))


class Good(NamedTuple):
    """A good message that was sent before."""

    headers: Headers
    data: Input
    key: bytes


def other_content_same_id(random: Random, sent: Sequence[Good], patterns: Sequence[Input]) -> Spoiled:
    """An event of a known source and id that says something else."""
    before = random.choice(sent)
    data = random.choice([one for one in patterns if one != before.data])
    headers = _but(before.headers, ce_type=type(data).TYPE.encode())
    return Spoiled(headers, msgspec.json.encode(data), ("header ce_id",), before.key)


def other_content_same_request(random: Random, good: Headers, sent: Sequence[Good]) -> Spoiled:
    """Another citizen's matter under the number of a request that is on record."""
    before = random.choice(sent)
    assert isinstance(before.data, RecordRequest)
    changed = msgspec.structs.replace(before.data, content=f"另一家 {random.random()}")
    headers = _but(good, ce_type=RecordRequest.TYPE.encode())
    return Spoiled(headers, msgspec.json.encode(changed), ("data: request_id",), before.key)


def named_twice_or_not(random: Random, good: Headers, patterns: Sequence[Input]) -> Spoiled:
    """What is said about a request that is named in both ways, or in none."""
    data = random.choice([one for one in patterns if isinstance(one, AboutRequest)])
    fields = json.loads(msgspec.json.encode(data))
    if random.random() < 0.5:
        fields = {name: value for name, value in fields.items() if name not in {"request_id", "complaint_id"}}
    else:
        fields |= {"request_id": "1", "complaint_id": eg.ID}
    headers = _but(good, ce_type=type(data).TYPE.encode())
    return Spoiled(headers, json.dumps(fields).encode(), ("data: request_id, complaint_id",))


def _but(headers: Headers, **new: bytes) -> Headers:
    return [(name, new.get(name, value)) for name, value in headers]


def bad_identity(
    random: Random, line: Topic, good: Headers, sent: Sequence[Good], patterns: Sequence[Input]
) -> Spoiled:
    """Who it is, or whom it is about, cannot be so."""
    ways = [lambda: other_content_same_id(random, sent, patterns)]
    if line is INTAKE_REQUESTS:
        ways += [
            lambda: other_content_same_request(random, good, sent),
            lambda: named_twice_or_not(random, good, patterns),
        ]
    return random.choice(ways)()


IDENTITY_SHARE: Final = 0.1
"""Of the bad messages at a door with an inbox; calls are merged into a register, whatever their ids."""


def spoiled(random: Random, good: Headers, value: bytes, data: Input) -> Spoiled:
    return random.choice(
        [
            lambda: blank_words(random, good, value, type(data)),
            lambda: foreign_identifier(random, good, value, type(data)),
            lambda: bad_header(random, good, value),
            lambda: bad_value(random, good, value),
            lambda: bad_field(random, good, value, type(data)),
            lambda: bad_time(random, good, data),
            lambda: bad_text(random, good, data),
            lambda: bad_attribute(random, good, value),
            lambda: bad_structure(random, good, value),
            lambda: bad_text_structured(random, good, data),
        ]
    )()


# -- what is good


def good_inputs(line: Topic, streams: Sequence[str]) -> list[Input]:
    """Messages that each have one effect, be it a refusal."""
    if line is INTAKE_REQUESTS:
        return [request(f"good-{n}") for n in range(GOOD_A_DOOR)]
    if line is TELEPHONY_CALLS:
        return [CallOffered(call_id=f"good-{n}") for n in range(GOOD_A_DOOR)]
    example = {
        DISPATCH_REPLIES: eg.SIGN_REPLY,
        DISPATCH_REVIEWS: eg.REVIEW_RESULT,
        FEEDBACK_VISIT_RESULTS: eg.VISIT_RESULT,
        FEEDBACK_EXCEPTIONS: eg.EXCEPTION,
    }[line]
    return [msgspec.structs.replace(example, complaint_id=stream) for stream in streams]  # type: ignore[call-arg]


def strange(data: Input, number: int) -> Input:
    """Every other good message as strangers type: hostile words are words, names in another form are names."""
    if number % 2:
        return data
    changed: dict[str, str] = {}
    for place, told in kinds_of(type(data)).items():
        text = getattr(data, place, None)
        if told in {"words", FREE} and isinstance(text, str):
            changed[place] = HOSTILE.replace("\x00", "")[:200]
        elif told in {"name", "code"} and isinstance(text, str) and text:
            changed[place] = f"\u3000{text}\u200b\n"
    return msgspec.structs.replace(data, **changed)


def of(line: Topic, data: Input, number: int) -> tuple[Headers, bytes]:
    headers: Headers = list(input_headers(type(data), "/fuzz", f"{line.name}-{number}", datetime.now(UTC)))
    return headers, msgspec.json.encode(data)


async def poured(
    town: City, line: Topic, streams: Sequence[str], random: Random
) -> dict[bytes, tuple[str, ...]]:
    """Ten thousand bad messages and the good ones among them; the bad ones by key, with what their reason must hold.

    Every second good one comes in structured mode.
    """
    topic = town.topic(line, UNIT)
    producer = await town._sender()
    good = good_inputs(line, streams)
    patterns = [data for data in eg.INPUTS if type(data) in line.carries]
    expected: dict[bytes, tuple[str, ...]] = {}
    sent: list[Good] = []
    every = BAD_A_DOOR // len(good)
    for number in range(BAD_A_DOOR):
        if number % every == 0 and number // every < len(good):
            said = strange(good[number // every], number // every)
            headers, value = of(line, said, number // every)
            before = headers
            if number // every % 2:
                headers, value = structured(headers, value)
            key = getattr(good[number // every], "complaint_id", f"good-{number // every}").encode()
            await _send(producer, topic, line, key, value, headers)
            sent.append(Good(before, said, key))
        pattern = random.choice(patterns)
        headers, value = of(line, pattern, BAD_A_DOOR + number)
        if line is not TELEPHONY_CALLS and random.random() < IDENTITY_SHARE:
            bad = bad_identity(random, line, headers, sent, patterns)
        else:
            bad = spoiled(random, headers, value, pattern)
        key = b"bad-%d" % number
        expected[key] = bad.names
        await _send(producer, topic, line, key, bad.value, bad.headers, behind=bad.behind)
    await producer.flush()
    return expected


async def _send(
    producer: Any,
    topic: str,
    line: Topic,
    key: bytes,
    value: bytes | None,
    headers: Headers,
    *,
    behind: bytes | None = None,
) -> None:
    """Send it to its key's partition, or to that of the message it must come behind."""
    partition = partition_of(behind or key, line.partitions)
    await producer.send(topic, value, key=key, partition=partition, headers=headers)


async def living(town: City, line: Topic) -> list[str]:
    """Complaints whose orders are out, for the good messages of one door."""
    if line in {INTAKE_REQUESTS, TELEPHONY_CALLS}:
        return []
    names = [f"{line.name}-{n}" for n in range(GOOD_A_DOOR)]
    for name in names:
        await town.record(name)
    for name in names:
        await town.until_fact(complaint_id(name), ComplaintDispatched, within=60)
    return [complaint_id(name) for name in names]


def identities(line: Topic, numbers: range) -> list[str]:
    """What the inbox would know these messages by."""
    name = line.of(UNIT) if line.per_unit else line.name
    return [message_id(name, "/fuzz", f"{line.name}-{number}") for number in numbers]


async def test_ten_thousand_bad_messages_a_door_are_each_parked_with_their_reason_and_the_good_ones_have_their_effect(
    city: Callable[..., Awaitable[City]], measured: Callable[[str], None]
) -> None:
    town = await city()
    desks = ("intake", "dispatch", "feedback")
    await town.start(extra={f"{desk.upper()}_PARKED_SHARE_MAX": "1" for desk in desks})
    for line in DOORS:
        began = time.monotonic()
        streams = await living(town, line)
        expected = await poured(town, line, streams, Random(line.name))
        topic = town.topic(line, UNIT)
        await taken_in(town, line)
        reasons = {row["key"]: row["reason"] for row in await town.parked(topic)}
        assert expected.keys() - reasons.keys() == set(), {
            key: names for key, names in expected.items() if key not in reasons
        }
        assert reasons.keys() == expected.keys(), reasons
        unnamed = {
            key: (names, reasons[key])
            for key, names in expected.items()
            if not all(name in reasons[key] for name in names)
        }
        assert unnamed == {}, f"{line.name}: {len(unnamed)} reasons do not name what was spoiled"
        await the_good_ones_have_their_effect(town, line)
        measured(f"fuzz: {BAD_A_DOOR:,} bad messages at {line.name} in {time.monotonic() - began:.1f} s")


async def taken_in(town: City, line: Topic) -> None:
    """The door's desk has come to the end of its topic."""
    topic = town.topic(line, UNIT)
    ends = await town.ends([(topic, part) for part in range(line.partitions)])
    taken = "SELECT coalesce(sum(next_offset), 0) FROM es.consumer_offset WHERE topic = $1"
    await until(lambda: _is(town, taken, sum(ends.values()), topic), within=120, what=f"the end of {topic}")


async def the_good_ones_have_their_effect(town: City, line: Topic) -> None:
    if line is TELEPHONY_CALLS:
        await until(lambda: _is(town, "SELECT count(*) FROM intake.call", GOOD_A_DOOR), what="the calls")
        return
    good = identities(line, range(GOOD_A_DOOR))
    heard = "SELECT count(*) FROM es.inbox WHERE message_id = ANY ($1::text[]::uuid[])"
    await until(lambda: _is(town, heard, GOOD_A_DOOR, good), within=60, what="every good message")
    of_cause = "SELECT caused_by, count(DISTINCT xid) FROM es.event WHERE caused_by = ANY ($1) GROUP BY 1"
    assert {row[0]: row[1] for row in await town.sql(of_cause, good)} == dict.fromkeys(good, 1)
    bad = identities(line, range(BAD_A_DOOR, 2 * BAD_A_DOOR))
    assert await town.value(heard, bad) == 0
    assert await town.sql(of_cause, bad) == []


async def _is(town: City, statement: str, number: int, *values: Any) -> bool:
    return bool(await town.value(statement, *values) == number)


# -- the log itself, as two desks hear it


async def test_ten_thousand_bad_messages_on_the_log_are_parked_by_who_would_act_on_them_and_the_city_goes_on(
    city: Callable[..., Awaitable[City]],
) -> None:
    """Only the relay may write there. What has its mark is its word, so what is tried here has none, or a bad one."""
    town = await city()
    await town.start(extra={f"{desk.upper()}_PARKED_SHARE_MAX": "1" for desk in ("dispatch", "feedback")})
    before = await town.record("before")
    await town.until_fact(before, ComplaintDispatched, within=60)
    random = Random("log")
    topic = town.topic(COMPLAINTS_LOG)
    producer = await town._sender()
    expected: dict[bytes, str] = {}
    acts = {"dispatch": ce_type_of("ComplaintClassified", 1), "feedback": ce_type_of("OrderAnswered", 1)}
    for number in range(2 * BAD_A_DOOR):
        desk = ("dispatch", "feedback")[number % 2]
        key = b"bad-%d-%s" % (number, desk.encode())
        wanted: Headers = [
            ("ce_type", acts[desk]),
            ("ce_id", b"id-%d" % number),
            ("ce_source", b"/hotline/intake"),
        ]
        value: bytes | None = b"{}"
        if (gone := random.choice(["ce_id", "ce_source", "mark", "value"])) == "mark":
            mark = random.choice(
                [b"", b"1", b"x.y", b"-1.5", b"1.%d" % 10**30, b"%d.1" % 10**25, b"\xff.1", None]
            )
            wanted.append(("ce_relaymark", mark))
            names = "header ce_relaymark"
        elif gone == "value":
            value, names = None, "value: null"
        else:
            wanted = [pair for pair in wanted if pair[0] != gone]
            names = f"header {gone}"
        expected[key] = names
        await _send(producer, topic, COMPLAINTS_LOG, key, value, wanted)
    await producer.flush()
    await until(
        lambda: _is(town, "SELECT count(*) FROM es.parked WHERE topic = $1", 2 * BAD_A_DOOR, topic),
        within=120,
        what="all of them parked",
    )
    rows = await town.parked(topic)
    assert all(
        row["key"].endswith(row["consumer"].encode()) for row in rows
    )  # by the desk that acts on this fact
    assert all(expected[row["key"]] in row["reason"] for row in rows)
    for number in range(8):
        after = await town.record(f"after-{number}")
        await town.until_fact(after, ComplaintDispatched, within=60)
