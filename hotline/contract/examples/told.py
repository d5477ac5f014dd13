"""The example of any message: its headers and its body, as they lie in Kafka."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from hotline.contract.examples import FACTS, INPUTS
from hotline.contract.examples.feedback import VISIT_MADE
from hotline.contract.examples.of_one_complaint import CALLED_AT, ID, STREET
from shared.cloudevents import event_headers, fact_headers, input_headers
from shared.complaint_number import number_of
from shared.events import Fact
from shared.ids import derived, message_id
from shared.inputs import Input
from shared.log.anchors import CE_SOURCE as RELAY
from shared.log.anchors import CE_TYPE as ANCHORED
from shared.log.anchors import NOTHING, Anchor
from shared.log.codec import ce_type_of
from shared.log.relay import programmes
from shared.log.relay.notices import NoticeRow, body_of, headers_of
from shared.programme_notice import ProgrammeNotice
from shared.results import AnsweredInput, InputParked, OrderClosed, WorkOrder
from shared.structured import CONTENT_TYPE

SOURCE: Final = "/example"
_ANCHOR: Final = Anchor(
    number=1, anchored_at=CALLED_AT, first=1, last=3, facts=3, root="a" * 64, previous=NOTHING
)
_PARKED: Final = NoticeRow(
    notice_id=1,
    consumer="intake",
    topic="intake.requests",
    partition=0,
    offset=41,
    sent_at_ms=0,
    source=SOURCE,
    event_id="20210924-0001/record",
    complaint_id=None,
    reason="data: Object missing required field `title`",
    parked_at=CALLED_AT,
)
_PROGRAMME: Final = ProgrammeNotice(
    programme_id="9d4f9c1e-4a53-5a0c-8b58-7a4d0d1f2c11",
    programme="2021年9月“每月一题”",
    year=2021,
    month=9,
    happened="TaskSet",
    by="municipal-desk",
    at=CALLED_AT,
    item=3,
    item_title="停车难",
    task=12,
    task_title="划定夜间停车位",
    due=CALLED_AT.date().replace(day=30),
    standing="PLANNED",
)
_STATED: Final[dict[type[Any], Fact]] = {type(fact): fact for fact in FACTS}
_SAID: Final[dict[type[Any], Input]] = {type(data): data for data in INPUTS}


def input_example(kind: type[Input]) -> dict[str, Any]:
    """An input in binary mode."""
    headers = input_headers(kind, SOURCE, f"{kind.__name__}/1", CALLED_AT)
    return _example(headers, msgspec.to_builtins(_SAID[kind]))


def structured_example(kind: type[Input]) -> dict[str, Any]:
    """The same input in structured mode."""
    event = {
        "specversion": "1.0",
        "type": kind.TYPE,
        "source": SOURCE,
        "id": f"{kind.__name__}/2",
        "time": CALLED_AT.isoformat(),
        "datacontenttype": "application/json",
        "data": msgspec.to_builtins(_SAID[kind]),
    }
    return {"headers": {"content-type": CONTENT_TYPE}, "payload": event}


def told_example(kind: type[Any], stored: type[Fact] | None) -> dict[str, Any]:
    """A message of the hotline's: a fact as the log or as another topic tells it, or what is no fact."""
    if kind is Anchor:
        headers = event_headers(ANCHORED, RELAY, "b" * 64, CALLED_AT)
        return _example(headers, msgspec.to_builtins(_ANCHOR))
    if kind is InputParked:
        return _example(headers_of(_PARKED), msgspec.json.decode(body_of(_PARKED)))
    if kind is ProgrammeNotice:
        row = programmes.ProgrammeRow(UUID(_PROGRAMME.programme_id), 4, CALLED_AT, "")
        return _example(programmes.headers_of(row, STREET), msgspec.to_builtins(_PROGRAMME))
    fact = _STATED[stored or kind]
    at: datetime = getattr(fact, fact.TIME)
    ce_type = ce_type_of(type(fact).__name__, fact.SCHEMA)
    cause = message_id("intake.requests", SOURCE, "RecordRequest/1")
    headers = fact_headers(ce_type, derived(ID, ce_type.decode()), fact.SPEAKER, 3, cause, b"1.3", at)
    return _example(headers, msgspec.to_builtins(fact) | (_more(kind) if stored else {}))


def _more(kind: type[Any]) -> dict[str, Any]:
    more: dict[str, Any] = {"complaint_number": number_of(ID, CALLED_AT, "beijing-draft-2021")}
    if kind is WorkOrder:
        more |= {"received_at": CALLED_AT.isoformat(), "confidential": False, "anonymous": False}
    elif kind is OrderClosed:
        more["judgement"] = msgspec.to_builtins(VISIT_MADE)
    elif "input" in kind.__struct_fields__:
        more["input"] = msgspec.to_builtins(AnsweredInput(source=SOURCE, id="AnswerOrder/1"))
    return more


def _example(headers: list[tuple[str, bytes]], payload: Any) -> dict[str, Any]:
    return {"headers": {name: value.decode() for name, value in headers}, "payload": payload}
