"""`hotline backtest` as it is typed, through the whole system: the same facts at any speed, the city's flags."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.boston import season, written
from tests.typed import typed_json

pytestmark = [pytest.mark.connected, pytest.mark.timeout(1300)]

ROWS: Final = 150


def test_the_same_file_gives_the_same_facts_at_any_step_and_with_any_number_of_processes(
    tmp_path: Path, typed_stack: Path
) -> None:
    rows = season(ROWS)
    overdue = [row for row in rows if row["ontime"] == "OVERDUE"]
    never_closed = sum(not row["closed_dt"] for row in overdue)
    file = written(tmp_path / "requests.csv.zst", [*rows, rows[0], rows[1] | {"target_dt": ""}])

    one = typed_json(typed_stack, "backtest", "boston", str(file))
    other = typed_json(typed_stack, "backtest", "boston", str(file), "--processes", "2", "--step-hours", "5")

    assert set(one) == set(other) == {
        "rows", "used", "skipped", "received", "facts", "deadlines_missed", "missed_answered_late",
        "missed_never_answered", "agree", "disagreements", "still_open", "seconds", "lives_per_second",
        "facts_per_second", "processes_per_desk", "step_hours", "verify_problems", "facts_by_type", "digest",
    }  # fmt: skip
    assert (one["processes_per_desk"], one["step_hours"]) == (1, 24.0)
    assert (other["processes_per_desk"], other["step_hours"]) == (2, 5.0)
    assert one["digest"] == other["digest"]
    assert one["facts"] == other["facts"]
    for found in (one, other):
        assert (found["rows"], found["used"], found["received"]) == (ROWS + 2, ROWS, ROWS)
        assert found["skipped"] == {"case id seen before": 1, "no target": 1}
        assert found["deadlines_missed"] == len(overdue)
        assert found["missed_never_answered"] == found["still_open"] == never_closed
        assert found["missed_answered_late"] == len(overdue) - never_closed
        assert (found["agree"], found["disagreements"]) == (ROWS, [])
        assert found["verify_problems"] == 0
        assert found["seconds"] > 0
        assert found["lives_per_second"] > 0
        assert found["facts_per_second"] > found["lives_per_second"]
        assert len(found["digest"]) == 64
