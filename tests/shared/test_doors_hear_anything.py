"""Whatever comes to a door, it asks something of its desk or is set aside whole with a reason; never anything else."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch import inbound as dispatch
from services.dispatch.settings import Settings as DispatchSettings
from services.feedback import inbound as feedback
from services.intake import inbound as intake
from services.intake.settings import Settings as IntakeSettings
from shared.doors.unread_records import Handle
from shared.inputs import INPUTS
from shared.log import Incoming
from tests.doors import clock, filled

NOWHERE: Final[dict[str, Any]] = {"kafka": "not asked", "postgres": "not asked"}
DOORS: Final[dict[str, tuple[Handle, str]]] = {
    "requests": (intake.requests(IntakeSettings(**NOWHERE), clock()), "intake.requests"),
    "calls": (intake.calls(clock()), "telephony.calls"),
    "replies": (
        dispatch.replies(DispatchSettings(**NOWHERE), clock()),
        "dispatch.replies.street-huayuanlu",
    ),
    "reviews": (dispatch.reviews(clock()), "dispatch.reviews"),
    "visit-results": (feedback.answers(clock()), "feedback.visit-results"),
    "exceptions": (feedback.exceptions(clock()), "feedback.exceptions"),
}
FIELDS: Final = sorted({field.name for kind in INPUTS.values() for field in msgspec.structs.fields(kind)})

NAMES: Final = (
    "header ",
    "headers: ",
    "attribute ",
    "value: ",
    "data: ",
    "content-type: ",
    "record timestamp: ",
)
"""What a reason begins with: the part of the message that is wrong."""

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(), inner, max_size=6)
    ),
    max_leaves=12,
)
bodies = st.none() | st.binary(max_size=80) | json.map(msgspec.json.encode)
headers = st.fixed_dictionaries(
    {
        "ce_specversion": st.sampled_from([b"1.0", b"1.0", b"1.0", b"", b"2"]),
        "ce_type": st.sampled_from([kind.encode() for kind in INPUTS]) | st.binary(max_size=20),
        "ce_source": st.sampled_from([b"/a", b"/b"]) | st.none() | st.binary(max_size=20),
        "ce_id": st.sampled_from([b"1", b"2"]) | st.none() | st.binary(max_size=20),
        "ce_time": st.sampled_from([b"2021-09-24T08:30:00+08:00"]) | st.binary(max_size=20),
    }
)
extra = st.lists(st.tuples(st.text(max_size=9), st.none() | st.binary(max_size=9)), max_size=3)


@pytest.mark.parametrize("door", DOORS)
@settings(max_examples=400, deadline=None)
@given(headers=headers, extra=extra, value=bodies)
def test_anything_is_taken_in_or_set_aside_with_a_reason_that_names_a_field(
    door: str, headers: dict[str, bytes | None], extra: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    handle, topic = DOORS[door]
    incoming = Incoming(topic, 0, 0, 1_632_443_400_000, None, (*headers.items(), *extra), value)
    batch = filled(handle, incoming)
    asked = len(batch.work) + (batch.effect is not None)
    assert asked + len(batch.parked) == 1
    for parked in batch.parked:
        assert parked.message == incoming
        assert parked.reason.startswith(NAMES), parked.reason


members = st.dictionaries(
    st.sampled_from(
        ["specversion", "type", "source", "id", "time", "datacontenttype", "data", "data_base64"]
    ),
    st.sampled_from(["1.0", "/a", "1", "2021-09-24T08:30:00+08:00", "application/json", "e30=", *INPUTS])
    | json,
)
content_types = st.sampled_from(
    [
        b"application/cloudevents+json",
        b"APPLICATION/CLOUDEVENTS+JSON; charset=utf-8",
        b"application/cloudevents-batch",
    ]
) | st.binary(max_size=8).map(lambda end: b"application/cloudevents" + end)


@pytest.mark.parametrize("door", DOORS)
@settings(max_examples=150, deadline=None)
@given(
    content_type=content_types,
    value=members.map(msgspec.json.encode) | bodies,
    sent_at_ms=st.integers(-(2**63), 2**63 - 1),
)
def test_in_structured_mode_too_and_with_any_record_time(
    door: str, content_type: bytes, value: bytes | None, sent_at_ms: int
) -> None:
    handle, topic = DOORS[door]
    incoming = Incoming(topic, 0, 0, sent_at_ms, None, (("content-type", content_type),), value)
    batch = filled(handle, incoming)
    assert len(batch.work) + (batch.effect is not None) + len(batch.parked) == 1
    for parked in batch.parked:
        assert parked.message == incoming
        assert parked.reason.startswith(NAMES), parked.reason
        assert "\0" not in parked.reason
