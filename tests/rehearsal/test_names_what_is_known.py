"""The simulated city names only what its catalogue knows, so that no order of a rehearsed day is marked (D1)."""

from __future__ import annotations

from datetime import timedelta

from hotline.lab.simulation.city import DAY
from hotline.lab.simulation.telephony import Telephony
from shared.inputs import RecordRequest
from shared.policy.catalogue import catalogue


def test_nothing_of_a_rehearsed_day_is_to_be_corrected() -> None:
    known = catalogue()
    acts = Telephony(known, seed=1, scale=0.02, day=DAY).until(DAY + timedelta(days=2))
    requests = [act.data for act in acts if isinstance(act.data, RecordRequest)]
    assert len(requests) > 1000
    assert {known.unlisted(one.subject, one.district, one.street) for one in requests} == {()}
