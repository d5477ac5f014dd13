"""Every text of every input is of a kind, and every door looks at it by its kind: derived from the inputs alone."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Final

import msgspec
import pytest
from msgspec.structs import replace

from shared.inputs import INPUTS, Input
from shared.log import Incoming
from shared.topics import DISPATCH_REPLIES, TOPICS
from shared.wording import FREE, TextInvalid, kinds_of, look_at, looked_at
from tests.doors import asked, filled, message, refused
from tests.examples import INPUTS as EXAMPLES
from tests.examples import STREET
from tests.foreign import BLANKS, HOSTILE, deceived
from tests.shared.test_doors_hear_anything import DOORS

_DOOR_OF: Final = {
    kind.__name__: topic for topic in TOPICS for kind in topic.carries if issubclass(kind, Input)
}
_FULL: Final = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
"""The full-width form of what is ASCII."""


def _door(data: Input) -> tuple[Any, str]:
    topic = _DOOR_OF[type(data).__name__]
    name = DISPATCH_REPLIES.of(STREET) if topic is DISPATCH_REPLIES else topic.name
    return next(handle for handle, at in DOORS.values() if at == name), name


def _whole(data: Input, place: str) -> dict[str, Any]:
    """The example with something in this text, also where it leaves it out."""
    told: dict[str, Any] = msgspec.to_builtins(data)
    name, _, _ = place.partition("[")
    if not told.get(name) and "." not in place:
        told[name] = ["市政"] if "[]" in place else "市政"
    return told


def _changed(data: Input, place: str, text: str) -> Incoming:
    """A good message of this input but for the text at this place."""
    told = _whole(data, place)
    name, _, inner = place.partition("[]")
    if inner:
        told[name] = [
            {"uri": "s3:photo.jpg", "media_type": "image/jpeg", "sha256": "0" * 64} | {inner[1:]: text}
        ]
    elif "[]" in place:
        told[name] = [*told[name], text]
    else:
        told[name] = text
    good = message(data, _door(data)[1])
    return replace(good, value=msgspec.json.encode(told))


PLACES: Final = [
    pytest.param(data, place, kind, id=f"{type(data).__name__}.{place}")
    for data in {type(one): one for one in EXAMPLES}.values()
    for place, kind in kinds_of(type(data)).items()
]
"""Every text of every input."""


def test_every_input_has_an_example_here() -> None:
    assert {type(one) for one in EXAMPLES} == set(INPUTS.values())


def test_what_must_be_said_is_words_and_no_text_is_free_that_may_not_be_empty() -> None:
    free = set()
    for kind in INPUTS.values():
        kinds = kinds_of(kind)
        schema = msgspec.json.schema(kind)["$defs"][kind.__name__]["properties"]
        for place, of in kinds.items():
            told = str(schema.get(place.partition("[")[0]))
            if of == FREE:
                free.add(place)
                assert "minLength" not in told, (kind, place)
            if of == "words":
                assert "Words that can be read" in told, (kind, place)
    assert free == {"address", "comment", "content", "note", "reason", "turned_away_reason"}


@pytest.mark.parametrize(("data", "place", "kind"), PLACES)
def test_a_text_that_shows_nothing_is_refused_where_one_is_demanded_and_counts_as_none_elsewhere(
    data: Input, place: str, kind: str
) -> None:
    handle, _ = _door(data)
    for text in BLANKS:
        incoming = _changed(data, place, text)
        if (kind == FREE or place == "turned_away_to") and text != "\x00":  # which is refused everywhere
            (work,) = filled(handle, incoming).work
            assert _same(work.command, asked(handle, _changed(data, place, "")).command)
            continue
        reason = refused(handle, incoming)
        assert reason.startswith("data: "), reason
        assert re.sub(r"\[\d+\]", "[]", reason).count(place.rpartition(".")[2]), (reason, ascii(text))


def _same(one: Any, other: Any) -> bool:
    return bool(one == other)


@pytest.mark.parametrize(("data", "place", "kind"), PLACES)
def test_a_hostile_text_is_kept_where_it_is_anybodys_words_and_refused_where_it_identifies(
    data: Input, place: str, kind: str
) -> None:
    text = HOSTILE.replace("\x00", "")
    handle, _ = _door(data)
    batch = filled(handle, _changed(data, place, text))
    if kind == "identifier":
        (parked,) = batch.parked
        assert place.rpartition(".")[2] in parked.reason
        assert deceived(parked.reason) == []
    elif kind in {"words", FREE} and batch.work:
        assert text in _texts(batch.work[0].command)


def _texts(told: Any) -> list[str]:
    """Every text of a command."""
    match told:
        case str():
            return [told]
        case tuple() | list():
            return [text for one in told for text in _texts(one)]
        case msgspec.Struct():
            return _texts(list(msgspec.structs.asdict(told).values()))
        case _ if dataclasses.is_dataclass(told):
            return _texts([getattr(told, field.name) for field in dataclasses.fields(told)])
        case _:
            return []


@pytest.mark.parametrize(("data", "place", "kind"), PLACES)
def test_a_name_is_taken_in_one_form_and_how_it_was_typed_stays_beside_it(
    data: Input, place: str, kind: str
) -> None:
    if kind not in {"name", "code"}:
        return
    whole = msgspec.convert(_whole(data, place), type(data))
    name = place.partition("[")[0]
    plain = getattr(whole, name)
    plain = plain if isinstance(plain, str) else plain[0]
    typed = f"\u3000{plain.translate(_FULL)}\u200b "
    if kind == "code":
        typed = typed.upper()
    changed = replace(whole, **{name: typed if place == name else (typed, *getattr(whole, name)[1:])})
    made = looked_at(changed)
    assert made.data == whole
    assert made.typed == {place.replace("[]", "[0]"): typed}
    assert looked_at(whole) == (whole, {})


@pytest.mark.parametrize("data", EXAMPLES, ids=lambda data: type(data).__name__)
def test_an_ordinary_input_is_taken_as_it_is(data: Input) -> None:
    made = looked_at(data)
    assert made.data is data
    assert made.typed == {}


def test_everything_that_is_wrong_is_named_at_once_and_nothing_of_it_quoted() -> None:
    bad = replace(EXAMPLES[3], title="\u200b" * 3, subject=" ", request_id="7\x1b8", recorded_by="\u3164")
    with pytest.raises(TextInvalid) as caught:
        looked_at(bad)
    assert str(caught.value) == (
        "request_id: expected characters that show, and no blank at an end, got U+001B in it; "
        "subject: expected words that can be read, got 1 character that shows nothing; "
        "title: expected words that can be read, got 3 characters that show nothing; "
        "recorded_by: expected words that can be read, got 1 character that shows nothing"
    )


def test_a_name_that_grows_when_it_is_written_out_keeps_its_bound() -> None:
    with pytest.raises(TextInvalid, match="district: 3600 characters written out, expected at most 200"):
        look_at(replace(EXAMPLES[3], district="\ufdfa" * 200))


@pytest.mark.parametrize("name", ["ce_source", "ce_id"])
@pytest.mark.parametrize("text", BLANKS, ids=ascii)
def test_a_sender_and_its_messages_are_called_by_what_shows(name: str, text: str) -> None:
    data = EXAMPLES[3]
    handle, topic = _door(data)
    good = message(data, topic)
    for value in (text, f"{text}7" if text[0] in " \u0301\u20dd" else f"7{text}8"):
        if value[0] in "\u0301\u20dd" and len(value) > 1:
            continue
        headers = tuple((key, value.encode() if key == name else kept) for key, kept in good.headers)
        reason = refused(handle, replace(good, headers=headers))
        assert reason.startswith(f"header {name}: ")
        assert "expected" in reason
