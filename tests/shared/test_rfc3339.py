"""A time from outside is read in one way, in a header and in a payload: what RFC 3339 allows and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.cloudevents import event_of
from shared.events import ComplaintReceived
from shared.inputs import INPUTS, RecordRequest
from shared.log import Incoming
from shared.rfc3339 import NotAnInstant, ToldInstant, instant
from shared.runtime.errors import BadInput
from tests import examples as eg
from tests.doors import message
from tests.spoilers import NOT_RFC3339, structured

MICROSECOND: Final = timedelta(microseconds=1)


# -- what is allowed


@st.composite
def allowed(draw: st.DrawFn) -> tuple[str, datetime]:
    """Any text RFC 3339 allows between the years 2 and 9998, and the instant it means."""
    local = draw(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.none()))
    digits = draw(st.text("0123456789", max_size=20))
    sign, hours, minutes = draw(st.sampled_from("+-")), draw(st.integers(0, 23)), draw(st.integers(0, 59))
    zone = draw(st.sampled_from(["Z", "z", f"{sign}{hours:02}:{minutes:02}"]))
    leap = draw(st.booleans())
    second = 60 if leap else local.second
    text = (
        f"{local:%Y}".zfill(4)
        + f"-{local:%m-%d}{draw(st.sampled_from('Tt'))}{local:%H:%M}:{second:02}"
        + f"{'.' + digits if digits else ''}{zone}"
    )
    offset = (
        timedelta() if zone in "Zz" else timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
    )
    at = local.replace(second=59 if leap else local.second, microsecond=int(digits[:6].ljust(6, "0")))
    return text, (at + timedelta(seconds=leap)).replace(tzinfo=timezone(offset)).astimezone(UTC)


def in_header(text: str) -> datetime:
    good = message(eg.REQUEST, "intake.requests")
    headers = tuple((name, text.encode() if name == "ce_time" else value) for name, value in good.headers)
    return event_of(msgspec.structs.replace(good, headers=headers), (RecordRequest,)).time


def in_structured(text: str) -> datetime:
    good = message(eg.REQUEST, "intake.requests")
    headers, value = structured(good.headers, good.value or b"", time=text)
    return event_of(msgspec.structs.replace(good, headers=tuple(headers), value=value), (RecordRequest,)).time


def in_payload(text: str) -> datetime | None:
    data = event_of(told(text), (RecordRequest,)).data
    assert isinstance(data, RecordRequest)
    return data.given_due_at


def told(text: str) -> Incoming:
    good = message(eg.REQUEST, "intake.requests")
    value = msgspec.json.encode({**msgspec.to_builtins(eg.REQUEST), "given_due_at": text})
    return msgspec.structs.replace(good, value=value)


@given(allowed())
@example(("1990-12-31T15:59:60-08:00", datetime(1991, 1, 1, tzinfo=UTC)))
@example(("1937-01-01T12:00:27.87+00:20", datetime(1937, 1, 1, 11, 40, 27, 870_000, UTC)))
@example(("1985-04-12t23:20:50.52z", datetime(1985, 4, 12, 23, 20, 50, 520_000, UTC)))
def test_what_is_allowed_is_the_same_instant_in_header_payload_and_structured_mode(
    said: tuple[str, datetime],
) -> None:
    text, at = said
    assert (instant(text), in_header(text), in_structured(text), in_payload(text)) == (at, at, at, at)
    assert instant(text).tzinfo is UTC


def test_a_leap_second_is_the_first_instant_of_the_next_minute() -> None:
    """As POSIX and PostgreSQL count it: then it is neither before 59.999999 nor behind the second that follows it."""
    assert instant("2016-12-31T23:59:60Z") == datetime(2017, 1, 1, tzinfo=UTC)
    assert instant("2016-12-31T23:59:60.25Z") == datetime(2017, 1, 1, 0, 0, 0, 250_000, UTC)


def test_digits_beyond_microseconds_are_cut_off_and_never_rounded_up() -> None:
    """A limit's last instant, told with nanoseconds, must not become the next day."""
    assert instant("2021-09-30T23:59:59.999999999Z") == datetime(2021, 10, 1, tzinfo=UTC) - MICROSECOND
    assert instant("9999-12-31T23:59:59.999999999Z") == datetime.max.replace(tzinfo=UTC)


# -- what is not


@pytest.mark.parametrize("text", NOT_RFC3339)
def test_what_is_not_allowed_is_refused_in_header_payload_and_structured_mode(text: str) -> None:
    with pytest.raises(NotAnInstant):
        instant(text)
    with pytest.raises(BadInput, match=r"^header ce_time: "):
        in_header(text)
    with pytest.raises(BadInput, match=r"^attribute time: "):
        in_structured(text)
    with pytest.raises(BadInput, match=r"^data: .*`\$\.given_due_at`$"):
        in_payload(text)


@given(allowed(), st.data())
def test_a_character_put_in_taken_out_or_exchanged_is_refused_or_another_allowed_text(
    said: tuple[str, datetime], data: st.DataObject
) -> None:
    """Whatever is taken can be written again by who knows RFC 3339 alone: no other form slips through."""
    text = said[0]
    place = data.draw(st.integers(0, len(text)))
    character = data.draw(st.sampled_from([*"0123456789-+:.,TtZzWw _/", "\0", "\n", "٣", "−", ""]))
    spoilt = text[:place] + character + text[place + data.draw(st.integers(0, 1)) :]
    try:
        at = instant(spoilt)
    except NotAnInstant:
        return
    date, _, rest = spoilt.upper().partition("T")
    clock, zone = (rest[:-1], "+00:00") if rest.endswith("Z") else (rest[:-6], rest[-6:])
    whole, _, fraction = clock.partition(".")
    assert (len(date), len(whole), len(zone)) == (10, 8, 6)
    assert spoilt.isascii()
    assert fraction.isdigit() or "." not in clock
    leap = whole.endswith("60")
    known = datetime.fromisoformat(
        f"{date}T{whole[:-2] + '59' if leap else whole}.{fraction[:6].ljust(6, '0')}{zone}"
    )
    assert at == known + timedelta(seconds=leap)


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:60Z", "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01"]
)
def test_what_a_zone_or_a_leap_second_moves_over_the_edge_of_all_time_is_refused(text: str) -> None:
    with pytest.raises(NotAnInstant, match="outside the years 1 to 9999"):
        instant(text)


@pytest.mark.parametrize("value", [7, 1.5, True, [], {}, 1632470400])
def test_a_number_is_no_time(value: object) -> None:
    with pytest.raises(BadInput, match=r"RFC 3339, got `.*` - at `\$\.given_due_at`"):
        event_of(
            msgspec.structs.replace(
                told(""),
                value=msgspec.json.encode({**msgspec.to_builtins(eg.REQUEST), "given_due_at": value}),
            ),
            (RecordRequest,),
        )


def _kinds(kind: object) -> set[object]:
    found = {kind}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            found |= _kinds(field.type)
    for inner in getattr(kind, "__args__", ()):
        found |= _kinds(inner)
    for inner in (getattr(kind, "__origin__", None),):
        found |= set() if inner in (None, kind) else _kinds(inner)
    return found


def test_no_input_has_a_time_that_msgspec_would_read_in_its_own_way() -> None:
    kinds = {kind: _kinds(kind) for kind in INPUTS.values()}
    assert [kind for kind, found in kinds.items() if datetime in found] == []
    assert ToldInstant in kinds[RecordRequest]
    assert datetime in _kinds(ComplaintReceived)
