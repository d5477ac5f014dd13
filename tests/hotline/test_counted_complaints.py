"""The complaints that clusters count: those that were taken on, each once (Q5, R5, T7). Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import reduce
from typing import Any, Final

import pytest
from msgspec.structs import replace

from hotline.readside.rows import rows_of
from services.intake.decisions.recording import AskedToRecord
from services.intake.rules import decide
from shared import inputs
from shared.complaint import UNOPENED, Case, Complaint, evolve
from shared.events.base import RequestType, TurnedAway
from shared.ids import complaint_id
from shared.versions import CALENDAR, RULESET

AT: Final = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)  # after midnight in the city
REQUEST: Final = inputs.RecordRequest(
    request_id="counted-1",
    request_type=RequestType.HELP,
    subject="噪音",
    district="海淀区",
    address="幸福路1号",
    title="施工噪音",
    content="夜间施工",
)


def day_of(request: inputs.RecordRequest) -> date | None:
    """The day on which the clusters count this request."""
    asked = AskedToRecord(
        complaint_id=complaint_id(request.request_id),
        command=request,
        ruleset=RULESET,
        calendar=CALENDAR,
        at=AT,
    )
    case: Case = reduce(evolve, decide(asked, UNOPENED), UNOPENED)
    assert isinstance(case, Complaint)
    return rows_of(case, 1).complaint.day


def test_a_request_that_is_taken_on_counts_on_the_day_of_its_receipt() -> None:
    assert day_of(REQUEST) == date(2026, 3, 3)


@pytest.mark.parametrize(
    "how",
    [
        {"turned_away": TurnedAway.REJECTED, "turned_away_reason": "不属受理范围"},
        {"turned_away": TurnedAway.REDIRECTED, "turned_away_to": "法院", "turned_away_reason": "诉讼"},
        {"turned_away": TurnedAway.EMERGENCY, "turned_away_to": "119"},
    ],
    ids=lambda how: how["turned_away"].value,
)
def test_a_request_that_is_turned_away_counts_for_none(how: dict[str, Any]) -> None:
    """It is outside the scope (R5), or another's: no programme of the city's units could have spared the call."""
    assert day_of(replace(REQUEST, **how)) is None
