"""Examples of the facts of a whistle."""

from __future__ import annotations

from typing import Final

from hotline.contract.examples.of_one_complaint import (
    CALLED_AT,
    HOUR,
    ID,
    MINUTE,
    STREET,
    WATER,
)
from shared import events
from shared.events.base import WhistleKind

BLOWN: Final = events.WhistleBlown(
    complaint_id=ID,
    whistle=1,
    unit=STREET,
    kind=WhistleKind.EMERGENCY,
    lead=WATER,
    scene="小关街5号楼",
    reason="消防通道无法清理",
    blown_at=CALLED_AT + 2 * HOUR,
)
CALLED: Final = events.UnitCalled(
    complaint_id=ID,
    whistle=1,
    called=WATER,
    unit=STREET,
    kind=WhistleKind.EMERGENCY,
    leads=True,
    scene="小关街5号楼",
    reason="消防通道无法清理",
    subject="停车",
    title="楼下消防通道被占",
    district="海淀区",
    arrive_by=CALLED_AT + 2 * HOUR + 30 * MINUTE,
    called_at=CALLED_AT + 2 * HOUR,
)
ACKNOWLEDGED: Final = events.WhistleAcknowledged(
    complaint_id=ID, whistle=1, called=WATER, unit=STREET, acknowledged_at=CALLED_AT + 2 * HOUR + 5 * MINUTE
)
ARRIVED: Final = events.WhistleArrived(
    complaint_id=ID,
    whistle=1,
    called=WATER,
    unit=STREET,
    persons=3,
    arrived_at=CALLED_AT + 2 * HOUR + 20 * MINUTE,
)
MEASURED: Final = events.WhistleMeasureRecorded(
    complaint_id=ID,
    whistle=1,
    called=WATER,
    unit=STREET,
    measure="拖离车辆",
    recorded_at=CALLED_AT + 3 * HOUR,
)
RELEASED: Final = events.WhistleReleased(
    complaint_id=ID, whistle=1, called=WATER, unit=STREET, reason="已清理", released_at=CALLED_AT + 4 * HOUR
)
UNIT_RATED: Final = events.WhistleRated(
    complaint_id=ID,
    whistle=1,
    rated_by=STREET,
    rated=WATER,
    stars=5,
    comment="及时",
    rated_at=CALLED_AT + 5 * HOUR,
)
