"""What is said of an error quotes nothing anybody sent."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from services.dispatch.inbound import replies, reviews
from services.dispatch.settings import Settings as DispatchSettings
from services.feedback.inbound import answers
from services.intake.inbound import calls, requests
from services.intake.settings import Settings as IntakeSettings
from shared.doors.unread_records import Handle
from shared.events import Fact
from shared.log import Incoming
from shared.log.memory import Memory, MemoryLog
from shared.runtime.errors import told
from shared.topics import DISPATCH_REPLIES
from shared.work import Batch
from tests.desks import NOW, desk_on, record
from tests.doors import clock, filled, message
from tests.examples import INPUTS as EXAMPLES
from tests.examples import STREET

SECRET = "我家住在暗号路1号'`"  # noqa: S105 -- said in private, with the marks the libraries quote with
ADDRESSES = {"kafka": "", "postgres": ""}
DOORS: dict[str, Handle] = {
    "intake.requests": requests(IntakeSettings(**ADDRESSES), clock()),
    "telephony.calls": calls(clock()),
    DISPATCH_REPLIES.of(STREET): replies(DispatchSettings(**ADDRESSES), clock()),
    "dispatch.reviews": reviews(clock()),
    "feedback.visit-results": answers(clock()),
}


def _reasons(incoming: Incoming) -> list[str]:
    return [p.reason for door in DOORS.values() for p in filled(door, incoming).parked]


@pytest.mark.parametrize("topic", DOORS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: type(example).__name__)
def test_no_reason_holds_what_stood_in_a_field(topic: str, example: msgspec.Struct) -> None:
    fields = msgspec.to_builtins(example)
    good = message(example, topic)  # type: ignore[arg-type]  # examples of inputs
    reasons = []
    for name in (*type(example).__struct_fields__,):
        for value in (SECRET, SECRET * 1000, [SECRET], {SECRET: SECRET}):
            spoiled = replace(good, value=msgspec.json.encode(fields | {name: value}))
            reasons += [p.reason for p in filled(DOORS[topic], spoiled).parked]
    assert reasons
    assert not [reason for reason in reasons if SECRET[:6] in reason]


@pytest.mark.parametrize(
    "header", ["ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time", "content-type"]
)
def test_no_reason_holds_what_stood_in_a_header(header: str) -> None:
    good = message(EXAMPLES[0], "intake.requests")
    headers = tuple((k, SECRET.encode() if k == header else v) for k, v in good.headers)
    assert not [reason for reason in _reasons(replace(good, headers=headers)) if SECRET[:6] in reason]


def test_an_error_of_ours_is_told_by_its_kind_and_place() -> None:
    with pytest.raises(KeyError) as caught:
        _ = {}[SECRET]  # type: ignore[var-annotated]  # nothing is in it
    assert told(caught.value).startswith("KeyError at test_errors.py:")


async def test_a_rule_that_fails_tells_nothing_it_was_given() -> None:
    def broken(_command: object, _case: object) -> Sequence[Fact]:
        raise ValueError(SECRET)

    memory = Memory(lambda: NOW)
    work = replace(record(1), message=message(EXAMPLES[0], "intake.requests"))
    with capture_logs() as lines:
        await desk_on("intake", MemoryLog(memory, "intake"), broken).obey(Batch(work=[work]))
    (kept,) = memory.parked.values()
    assert kept.parked.reason.startswith("could not be decided: ValueError at test_errors.py:")
    assert {line["event"] for line in lines} == {"rule_failed", "message_parked"}
    assert SECRET[:6] not in f"{lines}{kept.parked.reason}"


@pytest.mark.connected
async def test_an_error_of_the_database_is_told_by_its_code_and_our_names(database: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(database)
    try:
        for statement, values, expected in (
            ("SELECT $1::text::int", (SECRET,), "InvalidTextRepresentationError 22P02"),
            ("SELECT $1::int", (SECRET,), "DataError 22000 query argument $1"),
            (
                "INSERT INTO es.inbox VALUES ($1, gen_random_uuid()), ($1, NULL)",
                (SECRET,),
                "NotNullViolationError 23502 inbox message_id",
            ),
        ):
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as caught:
                await connection.execute(statement, *values)
            assert SECRET[:6] in str(caught.value)
            assert told(caught.value) == expected
    finally:
        await connection.close()
