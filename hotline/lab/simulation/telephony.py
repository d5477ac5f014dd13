"""A day at the telephone, and the records the agents make: everything that comes in by itself.

The subject, the time and the outcome of a call depend only on the call's own id. So any part of the day can
be made by itself and is the same each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from math import log
from typing import Any, Final

from msgspec.structs import replace

from hotline.lab.simulation.knowledge import answers
from hotline.lab.simulation.planned_input import PlannedInput
from hotline.lab.simulation.seeded_random import SeededRandom, Weighted
from hotline.lab.simulation.subjects import BY_SHARE, REQUEST_TYPES, SINCE, SUBJECTS, WISHES, urgency_of
from shared.events import Attachment, RequestType, Urgency
from shared.ids import ComplaintId, complaint_id
from shared.inputs import (
    CallAnswered,
    CallEnded,
    CallOffered,
    CorrectRequest,
    Input,
    RecordRequest,
    WithdrawRequest,
)
from shared.policy.catalogue import Catalogue
from shared.topics import INTAKE_REQUESTS, TELEPHONY_CALLS, Topic

CALLS_A_DAY: Final = 70_000
"""Beijing's day of 2025."""

WRITTEN_SHARE: Final = 0.025
"""Requests by web and app, for each call."""

ABANDONED: Final = 0.02
WORK_ORDERS: Final = 0.40
"""Share of the requests on which somebody must act; the rest is answered from the knowledge base."""
WITHDRAWN: Final = 0.003
SENT_TWICE: Final = 0.002
WITH_PICTURE: Final = 0.3
"""Of the requests by web and app (an assumption)."""
NO_STREET: Final = 0.03
"""Requests whose address names no street."""
MISTAKEN: Final = 0.004
"""Of the requests on which somebody must act: an agent picks a neighbouring street and corrects it (an assumption)."""

_MORNING: Final = (0.8, 0.6, 0.5, 0.4, 0.4, 0.6, 1.2, 2.8, 6.5, 9.5, 9.8, 7.4)
_AFTERNOON: Final = (5.2, 6.0, 8.6, 8.5, 7.2, 5.6, 4.4, 3.8, 3.4, 2.6, 1.8, 1.2)
_BEFORE_NOON: Final = (0.8, 0.6, 0.5, 0.4, 0.4, 0.6, 1.2, 2.8, 6.5, 9.5, 9.8, 7.4)
_AFTER_NOON: Final = (5.2, 6.0, 8.6, 8.5, 7.2, 5.6, 4.4, 3.8, 3.4, 2.6, 1.8, 1.2)
_HOURS: Final = Weighted(dict(enumerate((*_BEFORE_NOON, *_AFTER_NOON))))
"""Calls by the hour of the day: most from 9 to 11 and from 14 to 16."""

# Ten thousand calls in 2019 where published (朝阳, 海淀, 丰台, 延庆), the others by population.
_DISTRICTS: Final = {
    "朝阳区": 32.0,
    "海淀区": 22.0,
    "丰台区": 17.0,
    "昌平区": 15.0,
    "大兴区": 13.0,
    "通州区": 13.0,
    "西城区": 9.0,
    "房山区": 9.0,
    "顺义区": 8.5,
    "东城区": 6.5,
    "石景山区": 4.5,
    "密云区": 4.2,
    "延庆区": 4.0,
    "平谷区": 3.8,
    "怀柔区": 3.5,
    "门头沟区": 3.2,
}
_OTHER_DISTRICT: Final = 5.0
_AGENTS: Final = 650
_SWITCH: Final = "/city/telephony"


class Telephony:
    """The calls and requests of one day, handed out in order of time."""

    def __init__(self, catalogue: Catalogue, *, seed: int, scale: float, day: datetime) -> None:
        """`scale` 1 is the city's whole day; `day` is the midnight it begins with."""
        self._seed = seed
        self._day = day
        self._districts = Weighted({n: _DISTRICTS.get(n, _OTHER_DISTRICT) for n in catalogue.districts})
        self._streets = {n: tuple(d.streets) for n, d in catalogue.districts.items()}
        calls = round(CALLS_A_DAY * scale)
        names = [f"call-{day:%Y%m%d}-{n:06d}" for n in range(1, calls + 1)]
        names += [f"web-{day:%Y%m%d}-{n:06d}" for n in range(1, round(calls * WRITTEN_SHARE) + 1)]
        # Latest first: the next to come is popped from the end.
        self._coming = sorted(((self._begins(name), name) for name in names), reverse=True)

    def next_at(self) -> datetime | None:
        """When the next call or request comes."""
        return self._coming[-1][0] if self._coming else None

    def until(self, until: datetime) -> Iterator[PlannedInput]:
        """Everything that follows from the calls and requests up to this instant and not yet handed out."""
        while self._coming and self._coming[-1][0] <= until:
            begins_at, name = self._coming.pop()
            yield from (
                self._call(name, begins_at) if name.startswith("call") else self._written(name, begins_at)
            )

    def _begins(self, name: str) -> datetime:
        rng = SeededRandom(self._seed, name, "begins")
        return _later(self._day, 3600 * rng.of(_HOURS) + rng.between(0, 3600))

    def _call(self, name: str, at: datetime) -> Iterator[PlannedInput]:
        rng = SeededRandom(self._seed, name)
        yield self._told(name, "offered", at, CallOffered(call_id=name), rng)
        if rng.chance(ABANDONED):
            ended_at = _later(at, _about(rng, 40))
            yield self._told(name, "ended", ended_at, CallEnded(call_id=name, cause="abandoned"), rng)
            return
        answered_at = _later(at, _about(rng, 5))
        agent = f"agent-{rng.whole(1, _AGENTS)}"
        yield self._told(name, "answered", answered_at, CallAnswered(call_id=name, agent=agent), rng)
        ended_at = _later(answered_at, 20 + _about(rng, 150))
        yield self._told(name, "ended", ended_at, CallEnded(call_id=name, cause="hangup"), rng)
        at = _later(ended_at, rng.between(60, 180))
        yield from self._request(f"req-{name}", at, rng, call_id=name, by=agent, channel="phone")

    def _written(self, name: str, at: datetime) -> Iterator[PlannedInput]:
        rng = SeededRandom(self._seed, name)
        channel = rng.pick(("web", "app", "wechat"))
        yield from self._request(f"req-{name}", at, rng, call_id=None, by="web-desk", channel=channel)

    def _request(
        self, request: str, at: datetime, rng: SeededRandom, *, call_id: str | None, by: str, channel: str
    ) -> Iterator[PlannedInput]:
        subject = rng.of(BY_SHARE)
        words = SUBJECTS[subject]
        district = rng.of(self._districts)
        streets = self._streets[district]
        street = rng.pick(streets) if streets and not rng.chance(NO_STREET) else None
        address = f"{district}{street or ''}{rng.whole(1, 60)}号院{rng.whole(1, 30)}号楼"
        planned_inputs = rng.chance(WORK_ORDERS)
        what = rng.pick(words.complaints if planned_inputs else words.questions)
        article = None if planned_inputs else rng.pick(answers(subject, at))
        complaint = complaint_id(request)
        # A row of numbers of its own, so that all other requests stay as they are.
        mistake = SeededRandom(self._seed, request, "mistake")
        others = [one for one in streets if one != street]
        mistaken = planned_inputs and street is not None and bool(others) and mistake.chance(MISTAKEN)
        about: dict[str, Any] = {
            "request_id": request,
            "call_id": call_id,
            "channel": channel,
            "subject": subject,
            "district": district,
            "address": address,
            "title": what,
            "recorded_by": by,
        }
        if article is None:
            recorded = RecordRequest(
                **about,
                request_type=rng.of(REQUEST_TYPES),
                urgency=urgency_of(words, rng),
                street=mistake.pick(others) if mistaken else street,
                content=f"来电人反映:{rng.pick(SINCE)},{address}{what}。{rng.pick(WISHES)}",
            )
        else:
            recorded = RecordRequest(
                **about,
                request_type=RequestType.CONSULT,
                urgency=Urgency.GENERAL_7D,
                street=street,
                content=f"来电人{what},已依据知识库答复。",
                article_id=article.id,
                article_version=article.version,
            )
        door = "/city/agents" if call_id else "/city/web"
        times = 2 if rng.chance(SENT_TWICE) else 1
        if call_id is None:
            recorded = _as_message(recorded, at, rng)
        yield _asked(request, "recorded", at, recorded, complaint, door, times)
        if mistaken:
            noticed_at = _later(at, mistake.between(120, 7200))
            right = CorrectRequest(request_id=request, street=street, corrected_by=by)
            yield _asked(request, "corrected", noticed_at, right, complaint, door, 1)
        if planned_inputs and rng.chance(WITHDRAWN):
            at = _later(at, rng.between(3600, 3 * 86400))
            taken_back = WithdrawRequest(request_id=request, reason="问题已自行解决")
            yield _asked(request, "withdrawn", at, taken_back, complaint, door, 1)

    def _told(self, name: str, what: str, at: datetime, data: Input, rng: SeededRandom) -> PlannedInput:
        times = 2 if rng.chance(SENT_TWICE) else 1
        return PlannedInput(at, TELEPHONY_CALLS, name, _SWITCH, f"{name}/{what}", data, times=times)


def _asked(
    request: str, what: str, at: datetime, data: Input, complaint: ComplaintId, door: str, times: int
) -> PlannedInput:
    line: Topic = INTAKE_REQUESTS
    return PlannedInput(at, line, request, door, f"{request}/{what}", data, complaint, times=times)


def _about(rng: SeededRandom, seconds: float) -> float:
    """Seconds that are short mostly and long now and then, `seconds` in the mean."""
    return -log(1.0 - rng.share()) * seconds


def _later(at: datetime, seconds: float) -> datetime:
    """City time counts in milliseconds, like telephony."""
    return at + timedelta(milliseconds=round(seconds * 1000))


def _as_message(recorded: RecordRequest, at: datetime, rng: SeededRandom) -> RecordRequest:
    """It was sent a while before it was taken up, and some have a picture with them."""
    pictures: tuple[Attachment, ...] = ()
    if rng.chance(WITH_PICTURE):
        name = sha256(recorded.request_id.encode()).hexdigest()
        pictures = (Attachment(uri=f"city:pictures/{name[:16]}", media_type="image/jpeg", sha256=name),)
    return replace(recorded, sent_at=at - timedelta(seconds=rng.whole(20, 240)), attachments=pictures)
