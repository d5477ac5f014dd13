"""Every route by every role, and every route about somebody else's: refused, counted, not told apart from nothing.

The cases are made of the table of routes: a new route is tried by itself.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.request import urlopen
from uuid import uuid4

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hotline.contract.examples.told import input_example
from hotline.web.paths import FOLLOWED, SIGNED
from hotline.web.roles import LISTENER_OF, HttpListener, KeyScope
from hotline.web.route_shapes import HttpRoute, TakenBody, WireName
from hotline.web.routes import ROUTES, at
from shared import roles
from shared.events import ComplaintDispatched, ReturnApproved
from shared.inputs.base import AboutComplaint
from shared.structured import CONTENT_TYPE
from tests.city import OTHER_UNIT, UNIT, City
from tests.web.door import Door
from tests.web.test_http import recorded

pytestmark = pytest.mark.connected

THIRD_UNIT: Final = "street-xueyuanlu"
NOBODY: Final = "no-such-unit"


@pytest.fixture(scope="module")
async def complaint(door: Door) -> str:
    """One that lies with `UNIT`."""
    told = await recorded(await door.of(roles.AGENTS))
    return str(told["complaint_id"])


@pytest.fixture(scope="module")
async def returned(door: Door, town: City) -> str:
    """One that lay with `UNIT`, and lies with `OTHER_UNIT`."""
    told = await recorded(await door.of(roles.AGENTS))
    about = {"complaint_id": told["complaint_id"], "assignment": 1}
    unit, reviewers = await door.of(roles.UNIT, UNIT), await door.of(roles.REVIEWERS)
    asked = {**about, "reason": "NOT_OURS", "evidence": "不在辖区内", "suggested_unit": OTHER_UNIT}
    assert (await unit.post("/acts/return/request", json=asked)).status_code == 200
    reviewed = {**about, "approved": True, "reviewer": "审核员"}
    assert (await reviewers.post("/acts/return/review", json=reviewed)).status_code == 200
    await town.until_fact(told["complaint_id"], ReturnApproved)
    await town.until_fact(told["complaint_id"], ComplaintDispatched, count=2)
    return str(told["complaint_id"])


def counted(door: Door, name: str) -> float:
    """The count that the door keeps under this name."""
    lines = [json.loads(line) for line in door.log.read_text().splitlines() if '"metrics_served"' in line]
    with urlopen(f"http://127.0.0.1:{lines[-1]['port']}/metrics", timeout=30) as answer:
        told = answer.read().decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
        if sample.name == f"hotline_{name.replace('.', '_')}_total"
    )


async def asked(
    client: httpx2.AsyncClient, route: HttpRoute, complaint: str, unit: str = NOBODY
) -> httpx2.Response:
    """The answer of a route about this complaint and this unit."""
    named = {"complaint": complaint, "unit": unit, "key": "0" * 16, "format": "json"}
    path = re.sub(r"\{(\w+)\}", lambda found: named.get(found[1], "none"), route.path)
    how: dict[str, Any] = {}
    if route.wire is WireName.OPEN311:
        how = {"data": {"description": "x"}} if route.method == "POST" else {}
    elif route.takes is TakenBody.INPUT:
        assert route.input is not None
        told = input_example(route.input)["payload"]
        how = {"json": {**told, "complaint_id": complaint} if "complaint_id" in told else told}
    elif route.takes is TakenBody.EVENTS:
        how = {"content": "{}", "headers": {"Content-Type": CONTENT_TYPE}}
    elif route.name == "outcomes.read":
        told = {"id": "x", "type": "hotline.order.sign.v1", "partition": 0, "offset": 0}
        how = {"params": {**told, "complaint": complaint}}
    return await client.request(route.method, path, **how)


def without(answer: httpx2.Response, *names: str) -> tuple[int, str]:
    """The status and the body, without these identities and those that an act gets anew."""
    told = answer.json()
    told.pop("outcome", None)
    text = json.dumps(told, ensure_ascii=False, sort_keys=True)
    for name in names:
        text = text.replace(name, "<it>")
    return answer.status_code, text


async def test_every_route_refuses_every_other_role_and_counts_it(door: Door, complaint: str) -> None:
    keys = {
        role: await door.key(role, UNIT if role == roles.UNIT else "", rate=10_000) for role in LISTENER_OF
    }
    before, refused, wrong = counted(door, "web.refused"), 0, []
    for listener in HttpListener:
        for role, typed in keys.items():
            client = door.client(typed, listener)
            for route in at(listener):
                may = role in route.roles and LISTENER_OF[role] is listener
                if may or route.signed:
                    continue
                answer = await asked(client, route, complaint, UNIT)
                refused += 1
                if answer.status_code != 403:
                    wrong.append(f"{route.name} {role}@{listener}: {answer.status_code}")
    assert wrong == []
    assert refused > len(ROUTES)
    assert counted(door, "web.refused") - before == refused


OF_UNITS: Final = [route for route in ROUTES if roles.UNIT in route.roles]
ABOUT_ONE: Final = [
    route
    for route in OF_UNITS
    if "{complaint}" in route.path
    or (route.input is not None and issubclass(route.input, AboutComplaint))
    or route.name == "outcomes.read"
]
ABOUT_A_UNIT: Final = [route for route in OF_UNITS if "{unit}" in route.path]


def test_no_route_of_a_unit_is_about_anything_else() -> None:
    neither = {route.path for route in OF_UNITS if route not in ABOUT_ONE and route not in ABOUT_A_UNIT}
    assert neither == {"/events", SIGNED, "/units", "/key"}


@pytest.mark.parametrize("route", ABOUT_ONE, ids=lambda route: route.name)
async def test_a_foreign_complaint_and_none_get_one_answer(
    door: Door, complaint: str, route: HttpRoute
) -> None:
    stranger, absent = await door.of(roles.UNIT, THIRD_UNIT), str(uuid4())
    before = counted(door, "web.refused")
    foreign, nothing = await asked(stranger, route, complaint), await asked(stranger, route, absent)
    assert without(foreign, complaint) == without(nothing, absent)
    if route.name == "outcomes.read":
        assert foreign.status_code == 202  # such an event may still come
        return
    # The door of contacts has always answered a stranger so, and writes it down (decision 0026).
    assert foreign.status_code == (403 if route.name == "contacts.read" else 404)
    assert counted(door, "web.refused") - before == 2


@pytest.mark.parametrize("route", ABOUT_A_UNIT, ids=lambda route: route.path)
async def test_a_foreign_unit_and_none_get_one_answer(door: Door, complaint: str, route: HttpRoute) -> None:
    stranger = await door.of(roles.UNIT, THIRD_UNIT)
    foreign, nothing = await asked(stranger, route, complaint, UNIT), await asked(stranger, route, complaint)
    assert without(foreign) == without(nothing)
    assert foreign.status_code == 404


@pytest.mark.parametrize("route", ABOUT_ONE, ids=lambda route: route.name)
async def test_a_unit_that_gave_an_order_back_reads_it_no_more_and_is_refused(
    door: Door, returned: str, route: HttpRoute
) -> None:
    unit, absent = await door.of(roles.UNIT, UNIT), str(uuid4())
    gone, nothing = await asked(unit, route, returned), await asked(unit, route, absent)
    if route.takes is TakenBody.INPUT:
        assert gone.status_code == 409  # it had to do with it, and is told what its reply came to
        assert nothing.status_code == 404
        return
    assert without(gone, returned) == without(nothing, absent)


async def test_a_front_end_does_not_tell_anothers_request_from_none(door: Door, complaint: str) -> None:
    portal = await door.of(roles.AGENTS, "portal", scopes=[KeyScope.READ])
    for route in ROUTES:
        if roles.AGENTS in route.roles and "{complaint}" in route.path:
            absent = str(uuid4())
            foreign, nothing = await asked(portal, route, complaint), await asked(portal, route, absent)
            assert without(foreign, complaint) == without(nothing, absent)
            assert foreign.status_code == 404


def test_the_stream_is_among_what_is_tried() -> None:
    assert FOLLOWED in {route.path for route in ABOUT_A_UNIT}
