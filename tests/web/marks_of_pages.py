"""Marks in the forms of the pages: what an agent, a unit and a citizen type there, and what is looked for there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import uuid4

import httpx2

from deploy.city.kafka_rights import Login
from hotline.web.pages import staff
from hotline.web.pages.gate import SESSION_COOKIE, SIGN_IN
from hotline.web.route_shapes import HttpRoute
from hotline.web.routes import ROUTES
from shared import roles
from shared.events import ComplaintDispatched
from shared.inputs import AnswerOrder, Input, RecordRequest, SupplementRequest
from shared.log.acts import acting
from tests.city import UNIT
from tests.web.door import Door
from tests.web.marks import FieldKind, Mark, Planted
from tests.web.test_citizen import by_web, opened, said
from tests.web.test_http import request_body

FIRST: Final = 50_000
"""The first mark of the pages: those of the routes are below it."""
TYPED: Final = ("name", "phone", "callback")
"""The fields of a contact on the agent's page."""


class PageSaid(NamedTuple):
    """A form with a mark, and the answer to it."""

    mark: Mark
    planted: Planted
    status: int
    text: str


class _Person:
    """Somebody who has signed in, as a browser without a script."""

    def __init__(self, client: httpx2.AsyncClient, role: str) -> None:
        self.client = client
        self.role = role

    async def asked(self, mark: Mark, planted: Planted, **how: Any) -> PageSaid:
        answer = await self.client.request(planted.route.method, planted.path, **how)
        return PageSaid(mark, planted, answer.status_code, answer.text)

    def planted(
        self, kind: FieldKind, field: str, method: str, path: str, given: type[Input] | None = None
    ) -> Planted:
        return _planted(self.role, kind, field, method, path, given)


def _planted(
    role: str, kind: FieldKind, field: str, method: str, path: str, given: type[Input] | None = None
) -> Planted:
    """`given`: the input that the form becomes."""
    like = next(one for one in ROUTES if one.input is given)
    route: HttpRoute = replace(like, name=f"page {path}", path=path, method=method)
    return Planted(route, role, field, kind, path, {})


async def _signed_in(door: Door, role: str, unit: str = "") -> _Person:
    async with acting(door.town.endpoints.login("operator")) as operator:
        _, code = await staff.add(operator, f"标记 {role}", Login(role, unit))
    client = door.client("", "staff")
    client.headers["Origin"] = f"http://{door.addresses['staff']}"
    answer = await client.post(SIGN_IN, data={"code": code, "then": "/"})
    assert answer.status_code == 303
    assert SESSION_COOKIE in client.cookies
    return _Person(client, role)


async def planted_on_pages(door: Door, agents: httpx2.AsyncClient) -> list[PageSaid]:
    """Type a mark into each field of these forms, one at a time."""
    marks = map(Mark, iter(range(FIRST, 100_000)))
    return [
        *await _by_agent(await _signed_in(door, roles.AGENTS), marks),
        *await _by_unit(await _signed_in(door, roles.UNIT, UNIT), door, agents, marks),
        *await _by_citizen(door, agents, marks),
    ]


async def _by_agent(agent: _Person, marks: Iterator[Mark]) -> list[PageSaid]:
    found: list[PageSaid] = []

    def form(**more: str) -> dict[str, str]:
        given: Mapping[str, Any] = request_body("r")
        told = {name: str(value) for name, value in given.items() if isinstance(value, str)}
        return {**told, "act": str(uuid4()), **more}

    record = partial(agent.planted, method="POST", path="/record", given=RecordRequest)
    for name in TYPED:
        mark = next(marks)
        value = mark.name if name == "name" else mark.phone
        found.append(await agent.asked(mark, record(FieldKind.CONTACT, name), data=form(**{name: value})))
    for name in ("title", "content"):
        mark = next(marks)
        found.append(await agent.asked(mark, record(FieldKind.TEXT, name), data=form(**{name: mark.words})))
    mark = next(marks)
    planted = agent.planted(FieldKind.CONTACT, "phone", "POST", "/record/caller")
    found.append(await agent.asked(mark, planted, data={"phone": mark.phone}))
    mark = next(marks)
    planted = agent.planted(FieldKind.ASKED, "content", "POST", "/record/articles")
    found.append(await agent.asked(mark, planted, data={"content": mark.words}))
    mark = next(marks)
    planted = agent.planted(FieldKind.ASKED, "q", "GET", "/find")
    found.append(await agent.asked(mark, planted, params={"q": mark.words}))
    return found


async def _by_unit(
    unit: _Person, door: Door, agents: httpx2.AsyncClient, marks: Iterator[Mark]
) -> list[PageSaid]:
    """The contact is looked at, and the order is answered."""
    mark = next(marks)
    contact = {"name": mark.name, "phone": mark.phone}
    made = await by_web(agents, contact=contact)
    number = made["complaint_number"]
    await door.town.until_fact(made["complaint_id"], ComplaintDispatched)
    read = await unit.client.post(f"/work/{number}/contact-details")
    assert mark.phone in read.text
    planted = unit.planted(FieldKind.CONTACT, "shown", "POST", "/work/contact-details")
    found = [PageSaid(mark, planted, read.status_code, "")]
    mark = next(marks)
    planted = unit.planted(FieldKind.SAID, "result", "POST", f"/work/{number}/answer", AnswerOrder)
    told = {"act": str(uuid4()), "assignment": "1", "result": mark.words, "claims_solved": "yes"}
    return [*found, await unit.asked(mark, planted, data=told)]


async def _by_citizen(door: Door, agents: httpx2.AsyncClient, marks: Iterator[Mark]) -> list[PageSaid]:
    made = await by_web(agents)
    citizen = await opened(door, made["citizen_link"])
    mark = next(marks)
    answer = await said(citizen, made["complaint_number"], "supplement", text=mark.words)
    planted = _planted(roles.CITIZENS, FieldKind.TEXT, "text", "POST", "/mine/supplement", SupplementRequest)
    return [PageSaid(mark, planted, answer.status_code, answer.text)]
