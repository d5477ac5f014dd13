"""Nothing passes a door that PostgreSQL cannot store: no text at any depth of any input, in either mode."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cloudevents import event_of, texts_of
from shared.events import Attachment
from shared.inputs import INPUTS, Input, RecordRequest, SignOrder
from shared.log import Incoming
from shared.runtime.errors import BadInput
from tests import examples as eg
from tests.doors import message
from tests.spoilers import UNSTORABLE, at, names_of, put, structured, texts, whole

EVERY: Final = tuple(INPUTS.values())
PLACES: Final = [
    (data, place) for data in eg.INPUTS for place in texts(whole(data, message(data, "any").headers))
]


def name_of(one: Any) -> str:
    return type(one).__name__ if isinstance(one, Input) else ".".join(map(str, one))


def told(data: Input, said: Any) -> list[Incoming]:
    """The same data in binary mode, structured mode and structured mode in Base64."""
    good = message(data, "any")
    value = json.dumps(said).encode()
    modes = [structured(good.headers, value, in_base64=in_base64) for in_base64 in (False, True)]
    return [
        msgspec.structs.replace(good, headers=tuple(headers), value=body)
        for headers, body in [(good.headers, value), *modes]
    ]


def refused(incoming: Incoming) -> str:
    with pytest.raises(BadInput) as error:
        event_of(incoming, EVERY)
    return str(error.value)


def test_every_text_of_every_input_is_tried() -> None:
    depths = {len(place) for _, place in PLACES}
    assert depths == {1, 2, 3}, "a field, a member of a list, a field of a member of a list"
    assert {type(data) for data, _ in PLACES} == set(EVERY)


@pytest.mark.parametrize(("data", "place"), PLACES, ids=name_of)
def test_a_text_nothing_can_store_is_refused_by_its_name_wherever_it_stands(
    data: Input, place: tuple[str | int, ...]
) -> None:
    said = whole(data, message(data, "any").headers)
    for text in (*UNSTORABLE, at(said, place) + "\0"):
        for incoming in told(data, put(said, place, text)):
            reason = refused(incoming)
            assert reason.startswith("data: ")
            assert all(name in reason for name in names_of(place)), reason
            assert "\0" not in reason, "the reason is stored as well"


@pytest.mark.parametrize("half", [r"\ud800", r"\udfff", r"\ud83dx", r"\ude00\ud83d", r"\uD800\u0000"])
def test_half_a_surrogate_pair_is_no_json(half: str) -> None:
    for incoming in told(eg.REQUEST, {**msgspec.to_builtins(eg.REQUEST), "title": "MARK"})[:2]:
        value = (incoming.value or b"").replace(b'"MARK"', b'"%s"' % half.encode())
        assert refused(msgspec.structs.replace(incoming, value=value)).startswith("value: not JSON")


@pytest.mark.parametrize("raw", [b"\xed\xa0\x80", b"\xff", b"\xc0\x80", b"\x00"])
def test_bytes_that_are_no_text_are_no_json(raw: bytes) -> None:
    good = message(eg.REQUEST, "any")
    value = json.dumps({**msgspec.to_builtins(eg.REQUEST), "title": "MARK"}).encode().replace(b"MARK", raw)
    assert refused(msgspec.structs.replace(good, value=value)).startswith("value: not JSON")


def test_what_nobody_reads_may_hold_what_it_likes() -> None:
    for incoming in told(eg.SIGN_REPLY, {**msgspec.to_builtins(eg.SIGN_REPLY), "more\0": ["\0", {"\0": 1}]}):
        assert event_of(incoming, EVERY).data == eg.SIGN_REPLY


def test_a_backslash_before_the_letters_is_no_such_character() -> None:
    said = {**msgspec.to_builtins(eg.REQUEST), "title": r"\u0000 is what the form shows"}
    for incoming in told(eg.REQUEST, said):
        data = event_of(incoming, EVERY).data
        assert isinstance(data, RecordRequest)
        assert data.title == said["title"]


characters = st.sampled_from(
    ["\\u0000", "\\ud800", "\\udc00", "\\ud83d\\ude00", "\\\\u0000", "\\n", "a", "长", "\\u007f"]
)


@given(
    st.lists(characters, max_size=6).map("".join),
    st.sampled_from(["title", "content", "request_id", "address"]),
)
def test_whatever_is_taken_in_can_be_stored(text: str, name: str) -> None:
    fields = {**msgspec.to_builtins(eg.REQUEST), name: "MARK"}
    good = message(eg.REQUEST, "any")
    value = json.dumps(fields).replace('"MARK"', f'"{text}"').encode()
    try:
        data = event_of(msgspec.structs.replace(good, value=value), EVERY).data
    except BadInput:
        return
    for _, stored in texts_of(data):
        assert "\0" not in stored
        assert stored.encode().decode() == stored


@pytest.mark.parametrize("name", ["ce_source", "ce_id", "ce_type", "ce_specversion", "ce_time"])
@pytest.mark.parametrize("value", [b"\0", b"1\0", b"/a\nb", b"\x1b[31m", b"\x7f", "\x85".encode()])
def test_an_attribute_with_a_control_character_is_refused_by_its_name(name: str, value: bytes) -> None:
    good = message(eg.REQUEST, "any")
    headers = tuple((known, value if known == name else kept) for known, kept in good.headers)
    reason = refused(msgspec.structs.replace(good, headers=headers))
    assert reason.startswith(f"header {name}: holds the control character U+")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uri", "s3:photo.jpg\n"),
        ("uri", "s3:\x9bphoto"),
        ("media_type", "image/png\n"),
        ("sha256", "0" * 64 + "\n"),
    ],
)
def test_the_end_of_a_pattern_is_the_end_of_the_text(field: str, value: str) -> None:
    good: dict[str, Any] = {"uri": "s3:photo.jpg", "media_type": "image/png", "sha256": "0" * 64}
    msgspec.convert(good, Attachment)
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert({**good, field: value}, Attachment)


def test_a_complaints_id_ends_where_it_ends() -> None:
    said = {**msgspec.to_builtins(eg.SIGN_REPLY), "complaint_id": eg.ID + "\n"}
    assert "complaint_id" in refused(told(eg.SIGN_REPLY, said)[0])


def test_texts_are_found_at_every_depth_and_in_every_kind_of_collection() -> None:
    value = {
        "a": ("b", ["c", {"d": "e"}], {"f"}),
        "g": SignOrder(complaint_id="h", assignment=1),
        "i": b"j",
    }
    assert {text for _, text in texts_of(value)} == set("abcdefghi")
    assert {text: path for path, text in texts_of(eg.SIGN_REPLY)}[eg.ID] == "complaint_id"
