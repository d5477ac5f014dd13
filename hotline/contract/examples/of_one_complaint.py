"""The complaint of the examples: its number, its limits and its units.

A fire lane in Haidian is blocked by cars on the day the Regulation came into force. Times are in UTC, so the
morning of 2021-09-24 in Beijing begins at half past midnight.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from shared.ids import RequestId, UnitId, complaint_id

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
INSTANT: Final = timedelta(microseconds=1)
CALLED_AT: Final = datetime(2021, 9, 24, 0, 30, tzinfo=UTC)
DISPATCH_DUE_AT: Final = CALLED_AT + DAY
SIGN_DUE_AT: Final = CALLED_AT + 8 * HOUR
"""A general request is signed within eight hours."""
VISIT_DUE_AT: Final = CALLED_AT + 4 * DAY
"""Three days from the moment the citizen may be asked, where the rule set has that limit."""
DUE_AT: Final = datetime(2021, 10, 1, 15, 59, 59, 999999, tzinfo=UTC)
"""And answered by 24:00 Beijing time of the seventh day (C2, C3)."""
REQUEST_ID: Final = RequestId("20210924-0001")
ID: Final = complaint_id(REQUEST_ID)
STREET: Final = UnitId("street-huayuanlu")
OTHER_STREET: Final = UnitId("street-xiaoguan")
DISTRICT: Final = UnitId("district-haidian")
WATER: Final = UnitId("water-group")
CENTRE: Final = UnitId("hotline-centre")
SUPERVISION: Final = UnitId("municipal-supervision")
REPEATED_BY: Final = complaint_id("20210925-0007")
