"""Paths of the HTTP door that its callers name too. Pure."""

from __future__ import annotations

from typing import Final

from shared.inputs import Input

OPENAPI: Final = "/openapi.json"
ASYNCAPI: Final = "/asyncapi.json"
DOCS: Final = "/docs"
OUTCOMES: Final = "/outcomes"
OWN_KEY: Final = "/key"
EVENTS: Final = "/events"
SIGNED: Final = "/hooks/{key}"
UNITS: Final = "/units"
COMPLAINT: Final = "/complaints/{complaint}"
TIMELINE: Final = f"{COMPLAINT}/timeline"
ORDERS: Final = f"{UNITS}/{{unit}}/orders"
FOLLOWED: Final = f"{ORDERS}/events"
OFFERS: Final = f"{UNITS}/{{unit}}/offers"


def act_path(kind: type[Input]) -> str:
    """The path of an act: `/acts/order/sign` of `hotline.order.sign.v1`."""
    _, noun, verb, _ = kind.TYPE.split(".")
    return f"/acts/{noun}/{verb.replace('_', '-')}"
