"""Handlers that show what there is: discovery, services and their definitions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from hotline.web.asking import HttpAsk, HttpReply
from hotline.web.open311.instants import stamp
from hotline.web.open311.offers import Locale, locale_of
from hotline.web.open311.shapes import DiscoveredEndpoint, GeoReportList, Open311Discovery, Open311Service
from hotline.web.open311.wire import JSON, XML
from hotline.web.problems import HttpRefusal, ProblemKind
from shared.times import zone_of

ROOT: Final = "/open311/v2"
SPECIFICATION: Final = "http://wiki.open311.org/GeoReport_v2"
CHANGED_AT: Final = datetime(2026, 12, 2, tzinfo=UTC)
"""When the services, or what can be said of them, changed last; moved with such a change."""
CONTACT: Final = "市民热线服务中心 12345 / the hotline centre, telephone 12345"
KEY_SERVICE: Final = "The hotline centre gives keys to systems: `hotline key add agents NAME`."


def language(ask: HttpAsk) -> Locale:
    """The language that the request asks for."""
    return locale_of(ask.query("locale"))


async def discovery(ask: HttpAsk) -> HttpReply:
    """Where the API is, and in which formats."""
    changed = stamp(CHANGED_AT, zone_of(ask.rooms.ruleset))
    url = str(ask.request.base_url).rstrip("/") + ROOT
    endpoint = DiscoveredEndpoint(
        specification=SPECIFICATION, url=url, changeset=changed, type="production", formats=[XML, JSON]
    )
    return HttpReply(
        200,
        Open311Discovery(changeset=changed, contact=CONTACT, key_service=KEY_SERVICE, endpoints=[endpoint]),
    )


async def services(ask: HttpAsk) -> HttpReply:
    """Every service."""
    return HttpReply(200, GeoReportList(kind=Open311Service, items=ask.rooms.offers.services(language(ask))))


async def definition(ask: HttpAsk) -> HttpReply:
    """The attributes of one service."""
    offers, code = ask.rooms.offers, ask.path("service_code")
    if offers.subject_of(code) is None:
        raise HttpRefusal(ProblemKind.NOT_FOUND, "service_code: there is no such service.")
    return HttpReply(200, offers.definition(code, language(ask)))
