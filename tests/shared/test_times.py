from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from shared import times
from shared.log.instants import FIRST, LAST

BEIJING: Final = ZoneInfo("Asia/Shanghai")
NIGHT: Final = datetime(2021, 12, 31, 18, 30, 9, tzinfo=UTC)
"""Half past two in the morning of New Year's Day, in Beijing."""


def test_a_time_is_the_citys_in_one_form() -> None:
    assert times.shown(NIGHT, BEIJING) == "2022-01-01 02:30"
    assert times.shown(NIGHT, BEIJING, seconds=True) == "2022-01-01 02:30:09"
    assert times.stated(NIGHT, "beijing-draft-2021") == "2022-01-01 02:30:09"
    assert times.stated(NIGHT, "boston-311-2011") == "2021-12-31 13:30:09"


def test_the_year_is_left_out_only_beside_the_same_year_of_the_city() -> None:
    assert times.shown_beside(NIGHT, datetime(2022, 6, 1, tzinfo=UTC), BEIJING) == "01-01 02:30"
    assert times.shown_beside(NIGHT, datetime(2021, 12, 31, tzinfo=UTC), BEIJING) == "2022-01-01 02:30"


def test_where_nobody_knows_the_zone_it_is_utc_and_no_instant_fails() -> None:
    assert times.zone_of(None) is UTC
    assert times.zone_of("beijing-of-tomorrow") is UTC
    for at in (FIRST, LAST):
        assert times.shown(at, BEIJING)


def test_one_module_forms_all_times_that_a_person_reads() -> None:
    """Machines get `isoformat`; where else a clock is written, its zone and form would drift apart again."""
    here = Path(__file__).parents[2]
    formed = re.compile(r"%H:%M|%T\b|\{[^{}\"']*\.isoformat\(\)\}")
    allowed = {
        "hotline/lab/bench/timer_work.py",  # a measurement's own clock
        "shared/times.py",
        "hotline/readside/lists.py",  # a place in a list, for a program
        "hotline/readside/search.py",  # the same
        "shared/plausible.py",  # the reason a door parks by: RFC 3339, as the sender wrote it
        "services/intake/inbound.py",  # the same
        "shared/log/instants.py",  # instants that no city has seen have no zone
        "shared/policy/deadlines.py",  # a mistake of a program's
        "shared/events/escalation.py",  # an id
        "services/escalation/ticker.py",  # an id
        "hotline/lab/bench/templates.py",  # a mistake of a program's
        "hotline/web/open311/instants.py",  # Open311's own form, for a program
        "hotline/web/pages/calls.py",  # a field of a form, as a browser reads and writes it
        "services/intake/knowledge/file.py",  # the mistake of a file, as it stands in it
    }
    found = {
        str(file.relative_to(here))
        for folder in ("services", "shared", "hotline", "deploy")
        for file in (here / folder).rglob("*.py")
        if formed.search(file.read_text(encoding="utf-8"))
    }
    assert found - allowed == set()
