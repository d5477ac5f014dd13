"""Each input with an id of its own has its effect, or a refusal that says why; only its id makes it a repeat.

Every input of every door, in the state in which it is obeyed, comes a second time: later, with the very same stamp,
and in the same batch.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Any, Final, NamedTuple

import pytest
from msgspec.structs import replace

from services.intake import rules as intake
from shared.asked import kind_of
from shared.complaint import Complaint, head_text
from shared.desk import Desk
from shared.events import REFUSALS, DeskName, Fact
from shared.ids import ComplaintId, FactId
from shared.inputs import Input, RecordRequest, RepeatRequest
from shared.log.chain import GENESIS, Stored
from shared.log.memory import Memory, MemoryLog
from shared.runtime.telemetry import Telemetry
from shared.topics import TELEPHONY_CALLS, Topic
from shared.work import Batch
from tests import examples as eg
from tests.architecture.test_completeness import DOORS, INBOUND, TABLE, Again
from tests.doors import clock, filled, message
from tests.lives import decided, desk_of
from tests.spec import case_of

AT: Final = eg.CALLED_AT + 2 * eg.DAY


class Way(Enum):
    """How it comes again, under an event id of its own."""

    LATER = "later"
    SAME_STAMP = "with the same stamp"
    SAME_BATCH = "in the same batch"


class Told(NamedTuple):
    """What was said to an input, and to the same again; and what was set aside."""

    first: list[str]
    again: list[str]
    parked: int


INPUTS: Final = [data for data in eg.INPUTS if type(data) not in TELEPHONY_CALLS.carries]
EACH: Final = pytest.mark.parametrize("data", INPUTS, ids=lambda data: type(data).__name__)
REFUSED: Final = {kind.__name__ for kind in REFUSALS}


async def told_twice(data: Input, second: Input, way: Way, *ids: str) -> tuple[Again, Told]:
    """Both come to the door and the desk of their topic; the complaint stands as the table of commands says."""
    (line,) = (topic for topic in INBOUND if type(data) in topic.carries)
    door = DOORS[line.name]
    (asked,) = filled(door, _message(data, line, ids[0], 1)).work
    row = TABLE[kind_of(asked.command)]
    unit = getattr(row.command, "unit", "") or eg.STREET
    later = AT + timedelta(minutes=10) if way is Way.LATER else AT
    both = [
        _message(data, line, ids[0], 1, unit=unit),
        _message(second, line, ids[1], 2, unit=unit, at=later),
    ]
    memory = Memory(clock().now)
    case = case_of(row.done)
    if isinstance(case, Complaint):
        memory.heads[eg.ID] = (1, GENESIS, head_text(case))
        known = (eg.ID, *(one for one in asked.beside if one != eg.ID))
        memory.facts += [_begun(memory, one, n) for n, one in enumerate(known, start=1)]
    begun = len(memory.facts)
    name = desk_of(asked.command)
    rule = intake.decide if name is DeskName.INTAKE else decided
    desk = Desk(name, rule, MemoryLog(memory, name), Telemetry("desk"))
    for messages in [both] if way is Way.SAME_BATCH else [[one] for one in both]:
        await desk.obey(filled(door, *messages))
    first, again = (str(one.caused_by) for one in filled(door, *both).work)
    said = memory.facts[begun:]
    return row.again, Told(
        [one.type for one in said if one.caused_by == first],
        [one.type for one in said if one.caused_by == again != first],
        len(memory.parked),
    )


def _message(
    data: Input, line: Topic, event_id: str, offset: int, *, unit: str = eg.STREET, at: Any = AT
) -> Any:
    return message(data, line.of(unit), at=at, event_id=event_id, offset=offset)


def _begun(memory: Memory, complaint_id: ComplaintId, position: int) -> Stored:
    """Only that it is on record, and since when."""
    return Stored(
        position=position,
        complaint_id=complaint_id,
        version=1,
        fact_id=FactId(f"begun-{position}"),
        type="ComplaintReceived",
        schema_version=1,
        occurred_at=eg.CALLED_AT,
        recorded_at=memory.now(),
        caused_by="",
        actor="intake",
        body=b"",
        hash=GENESIS,
    )


@pytest.mark.parametrize("way", Way)
@EACH
async def test_under_another_id_it_has_its_effect_or_is_refused_and_is_never_passed_over(
    data: Input, way: Way
) -> None:
    """But for a request that is on record and a repeat that is counted: their senders give each a number of its own."""
    again, told = await told_twice(data, data, way, "first", "second")
    assert told.first
    assert not set(told.first) & REFUSED
    assert told.parked == 0
    match again:
        case Again.REFUSED:
            assert len(told.again) == 1
            assert set(told.again) <= REFUSED
        case Again.EFFECT:
            assert told.again == told.first
        case Again.NOTHING:
            assert isinstance(data, RecordRequest | RepeatRequest)
            assert told.again == []


@pytest.mark.parametrize("way", Way)
@EACH
async def test_under_its_own_id_it_is_a_repeat_and_says_nothing(data: Input, way: Way) -> None:
    _, told = await told_twice(data, data, way, "first", "first")
    assert told.first
    assert (told.again, told.parked) == ([], 0)


@pytest.mark.parametrize(
    ("data", "otherwise"),
    [(eg.REQUEST, {"title": "别的"}), (eg.REPEAT, {"note": "别的"})],
    ids=["a request", "a repeat"],
)
@pytest.mark.parametrize("way", Way)
async def test_what_a_number_of_its_senders_makes_a_repeat_is_none_where_it_says_something_else(
    data: Input, otherwise: dict[str, str], way: Way
) -> None:
    """T7, R11: nothing that is new is lost without a word."""
    _, told = await told_twice(data, replace(data, **otherwise), way, "first", "second")
    assert told.first
    assert len([kind for kind in told.again if kind in REFUSED]) + told.parked == 1


@pytest.mark.parametrize(
    "data",
    [data for data in eg.INPUTS if type(data) in TELEPHONY_CALLS.carries],
    ids=lambda data: type(data).__name__,
)
def test_of_a_call_every_word_goes_into_the_register_whatever_its_id(data: Input) -> None:
    """T1: a call has no inbox; what is told twice is merged by what it says (decision 0034)."""
    batch: Batch = filled(
        DOORS[TELEPHONY_CALLS.name],
        *(
            _message(data, TELEPHONY_CALLS, name, n, at=eg.CALLED_AT)
            for n, name in enumerate(("a", "b", "b"))
        ),
    )
    assert batch.parked == []
    assert batch.effect is not None
    assert [len(column) for column in batch.effect[1]] == [3] * 5  # type: ignore[arg-type]


def test_every_input_of_every_door_is_told_again_here() -> None:
    carried = {kind for topic in INBOUND for kind in topic.carries}
    assert {type(data) for data in INPUTS} | set(TELEPHONY_CALLS.carries) == carried
    assert all(issubclass(kind, Fact) for kind in REFUSALS)
