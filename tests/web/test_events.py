"""CloudEvents over HTTP, in three modes; whatever is wrong is refused by its field, and of a batch by its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from deploy.city.kafka_rights import AT_DOORS, Login
from hotline.web.city_clock import CityClock
from hotline.web.events import BATCH, depth_of, events_in
from hotline.web.judging import Judge
from hotline.web.keys import Key, usual_source
from hotline.web.limits import BATCH_EVENTS_MAX, DEPTH_MAX
from hotline.web.problems import HttpRefusal, ProblemKind
from hotline.web.rate import Rates
from hotline.web.roles import ACTS_OF, LINE_OF, LISTENER_OF, SCOPES_OF, KeyScope
from shared import roles
from shared.ids import complaint_id, message_id
from shared.structured import CONTENT_TYPE
from shared.versions import RULESET

UNIT: Final = "street-huayuanlu"
COMPLAINT: Final = complaint_id("R-1")
NOW: Final = datetime.now(UTC)


def key_of(role: str, name: str = "", **more: Any) -> Key:
    told: dict[str, Any] = {
        "key_id": "0123456789abcdef",
        "role": role,
        "name": name,
        "scopes": frozenset(SCOPES_OF[role]),
        "sources": (usual_source(Login(role, name)),),
        "rate": 100,
    }
    return Key(**{**told, **more})


UNITS: Final = key_of(roles.UNIT, UNIT)
JUDGE: Final = Judge("", RULESET, CityClock())


def signing(**more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": "hotline.order.sign.v1",
        "source": UNITS.sources[0],
        "id": "s-1",
        "time": NOW.isoformat(),
        "data": {"complaint_id": COMPLAINT, "assignment": 1},
        **more,
    }


def binary(event: dict[str, Any]) -> tuple[list[tuple[bytes, bytes]], bytes]:
    headers = [(b"content-type", b"application/json")]
    headers += [(f"ce-{name}".encode(), value.encode()) for name, value in event.items() if name != "data"]
    return headers, json.dumps(event["data"]).encode()


def judged(content_type: str, body: Any, key: Key = UNITS) -> Any:
    value = body if isinstance(body, bytes) else json.dumps(body).encode()
    return JUDGE.judged(key, events_in([(b"content-type", content_type.encode())], value))


def refused(content_type: str, body: Any, key: Key = UNITS) -> HttpRefusal:
    with pytest.raises(HttpRefusal) as found:
        judged(content_type, body, key)
    return found.value


def test_one_event_is_the_same_in_all_three_modes() -> None:
    headers, body = binary(signing())
    (alone,) = JUDGE.judged(UNITS, events_in(headers, body))
    (structured,) = judged(CONTENT_TYPE, signing())
    (batched,) = judged(BATCH, [signing()])
    for one in (alone, structured, batched):
        assert one.identity == message_id(f"dispatch.replies.{UNIT}", UNITS.sources[0], "s-1")
        assert one.complaint_id == COMPLAINT
        assert one.content == alone.content
        assert (one.message.topic, one.message.key) == (f"dispatch.replies.{UNIT}", COMPLAINT.encode())


def test_the_senders_of_cloudevents_own_library_are_understood() -> None:
    attributes = {name: value for name, value in signing(subject="通话").items() if name != "data"}
    event = CloudEvent({**attributes, "time": NOW}, signing()["data"])
    for message in (to_binary(event, JSONFormat()), to_structured(event, JSONFormat())):
        headers = [(name.lower().encode(), str(value).encode()) for name, value in message.headers.items()]
        if not any(name == b"content-type" for name, _ in headers):
            headers.append((b"content-type", b"application/json"))
        (one,) = JUDGE.judged(UNITS, events_in(headers, message.body))
        assert one.event_id == "s-1"


def test_a_header_is_percent_encoded_utf8() -> None:
    headers, body = binary(signing(id="%E9%80%9A%E8%AF%9D"))
    (one,) = JUDGE.judged(UNITS, events_in(headers, body))
    assert one.event_id == "通话"
    headers, body = binary(signing(id="%E9%80"))
    with pytest.raises(HttpRefusal) as found:
        events_in(headers, body)
    assert found.value.problem.field == "ce-id"


@pytest.mark.parametrize(
    ("event", "field", "kind"),
    [
        (signing(time="yesterday"), "time", ProblemKind.BAD_EVENT),
        (signing(time="1970-01-01T00:00:00Z"), "time", ProblemKind.BAD_EVENT),
        (signing(type="hotline.visit.record.v1"), "type", ProblemKind.BAD_EVENT),
        (signing(source="/somebody/else"), "source", ProblemKind.NOT_ALLOWED),
        (signing(data={"complaint_id": COMPLAINT}), "assignment", ProblemKind.BAD_EVENT),
        (signing(data={"complaint_id": COMPLAINT, "assignment": 0}), "assignment", ProblemKind.BAD_EVENT),
        (
            signing(data={"complaint_id": COMPLAINT, "assignment": 1, "phone": "1"}),
            "phone",
            ProblemKind.BAD_EVENT,
        ),
        (
            signing(data={"complaint_id": COMPLAINT, "assignment": 1, "unit": "another"}),
            "unit",
            ProblemKind.BAD_EVENT,
        ),
        (signing(Unit="x"), "Unit", ProblemKind.BAD_EVENT),
        (signing(nested={"a": 1}), "nested", ProblemKind.BAD_EVENT),
    ],
)
def test_what_is_wrong_is_named_by_its_field_and_place(
    event: dict[str, Any], field: str, kind: ProblemKind
) -> None:
    alone = refused(CONTENT_TYPE, event)
    assert (alone.kind, alone.problem.field) == (kind, field)
    behind = refused(BATCH, [signing(), event, signing(id="s-3")])
    assert (behind.kind, behind.problem.field, behind.problem.index) == (kind, field, 1)


def test_of_a_batch_the_first_wrong_one_is_named() -> None:
    wrong = signing(data={"complaint_id": COMPLAINT, "assignment": 1, "unit": "another"})
    assert refused(BATCH, [signing(), wrong, wrong]).problem.index == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/cloudevents+xml", "application/xml", ""])
def test_a_content_type_that_nobody_reads_is_refused(content_type: str) -> None:
    assert refused(content_type, signing()).kind is ProblemKind.WRONG_TYPE


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b"[7]", json.dumps([signing()] * (BATCH_EVENTS_MAX + 1)).encode()]
)
def test_a_batch_that_is_none_is_refused(body: bytes) -> None:
    assert refused(BATCH, body).kind is ProblemKind.BAD_EVENT


def test_deep_and_large_events_are_refused_by_name() -> None:
    deep = b'{"a":' * (DEPTH_MAX + 1) + b"1" + b"}" * (DEPTH_MAX + 1)
    assert refused(CONTENT_TYPE, deep).problem.expected == f"at most {DEPTH_MAX} levels"
    assert refused(CONTENT_TYPE, signing(data={"a": "x" * 70_000})).kind is ProblemKind.TOO_LARGE
    assert depth_of(b'{"a":"' + b"[" * 50 + b'"}') == 1
    assert depth_of(b'{"a":"\\"' + b"[" * 50 + b'"}') == 1
    assert depth_of(b"[" * 40) == 40
    assert depth_of(b'[[],[{"a":[]}]]' * 20) == 4


def test_what_its_door_would_set_aside_is_refused_with_the_doors_words() -> None:
    agents = key_of(roles.AGENTS)
    event = {
        **signing(type="hotline.request.record.v1", source="/agents"),
        "data": {
            "request_id": "R-1",
            "request_type": "HELP",
            "subject": "供水",
            "district": "海淀区",
            "title": "没有水",
            "content": "三天没有水",
            "turned_away": "REJECTED",
        },
    }
    problem = refused(CONTENT_TYPE, event, agents).problem
    assert (problem.field, problem.detail) == (
        "turned_away_reason",
        "Data: turned_away_reason: missing, whoever is turned away is told why (R10).",
    )


def test_two_logins_of_a_role_speak_on_topics_of_their_own() -> None:
    event = {**signing(type="hotline.call.ended.v1"), "data": {"call_id": "c-1", "cause": "hangup"}}
    plain, named = key_of(roles.TELEPHONY), key_of(roles.TELEPHONY, "pbx-2")
    (one,) = judged(CONTENT_TYPE, {**event, "source": "/telephony"}, plain)
    (two,) = judged(CONTENT_TYPE, {**event, "source": "/telephony/pbx-2"}, named)
    assert (one.message.topic, two.message.topic) == ("telephony.calls", "telephony.calls.pbx-2")
    assert one.complaint_id is None
    assert one.identity != two.identity


def test_every_role_that_speaks_has_a_listener_a_line_and_scopes() -> None:
    assert set(LISTENER_OF) == set(SCOPES_OF) == set(LINE_OF) == set(ACTS_OF) == set(AT_DOORS)
    assert ACTS_OF[roles.TELEPHONY] == ()
    assert KeyScope.ACTS not in SCOPES_OF[roles.TELEPHONY]


def test_a_sender_may_send_its_burst_and_then_its_rate() -> None:
    rates = Rates()
    told: dict[str, Any] = {"per_second": 10, "burst": 5}
    assert [rates.wait("a", 0.0, **told) for _ in range(5)] == [0.0] * 5
    assert rates.wait("a", 0.0, **told) == pytest.approx(0.1)
    assert rates.wait("b", 0.0, **told) == 0.0
    assert rates.wait("a", 0.1, **told) == 0.0
    assert rates.wait("a", 10.0, **told, cost=500) == 0.0
    assert rates.wait("a", 10.0, **told) > 0


def test_a_flood_of_names_does_not_fill_the_memory() -> None:
    rates = Rates(most=10)
    for number in range(1000):
        rates.wait(str(number), 0.0, per_second=1, burst=1)
    assert len(rates._due) <= 10
