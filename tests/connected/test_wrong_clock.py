"""In real time, a process whose clock is wrong: nothing fires early, nothing is decided before its cause."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from deploy.city import served
from deploy.supervision.supervisor import Service
from hotline.audit.verify import verify
from shared.events import ComplaintDispatched, OrderSigned
from tests.city import City

pytestmark = pytest.mark.connected

DAYS = 86_400
"""Ten of them ahead, and every limit of a complaint would long have passed."""


def skewed(service: Service, seconds: int) -> Service:
    *python, module = service.command
    return replace(service, command=(*python, "hotline.lab.chaos.skewed", str(seconds), module))


@pytest.mark.parametrize("days", [-10, 10])
@pytest.mark.parametrize("name", ["dispatch", "escalation", "feedback", "relay"])
async def test_no_limit_passes_early_and_every_life_is_legal(
    city: Callable[..., Awaitable[City]], monkeypatch: pytest.MonkeyPatch, name: str, days: int
) -> None:
    plain = served.services

    def services(*args: Any, **told: Any) -> list[Service]:
        return [
            skewed(service, days * DAYS) if service.name == name else service
            for service in plain(*args, **told)
        ]

    monkeypatch.setattr(served, "services", services)
    town = await city()
    await town.start()
    stream = await town.record("told in time")
    await town.until_fact(stream, ComplaintDispatched, within=30)
    await town.sign(stream)
    await town.until_fact(stream, OrderSigned, within=30)
    await asyncio.sleep(2)  # ten ticks and more
    assert await town.value("SELECT count(*) FROM es.event WHERE type LIKE '%Missed'") == 0
    assert (await verify(town.endpoints.logins["reader"])).problems == []
