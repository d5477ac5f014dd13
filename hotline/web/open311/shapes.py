"""Bodies of GeoReport v2, field by field in the order in which XML has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from hotline.web.answers import HttpAnswer


class Open311Service(HttpAnswer, frozen=True, kw_only=True):
    """A subject of the catalogue, as a system outside names it."""

    service_code: str
    """Its code: ASCII, kept for ever."""
    service_name: str
    """Its name."""
    description: str
    """Its name in both languages."""
    metadata: bool
    """Whether it has attributes beside the standard's own fields."""
    type: str
    """Always batch: a request is answered with a token."""
    keywords: str
    """Words of its names, with commas between."""
    group: str
    """The group of subjects it belongs to."""


class AttributeValue(HttpAnswer, frozen=True, kw_only=True):
    """A value that an attribute may have."""

    key: str
    """The value that a client sends."""
    name: str
    """The value that a person reads."""


class ServiceAttribute(HttpAnswer, frozen=True, kw_only=True):
    """Something a request may say beside the standard's own fields."""

    variable: bool
    """Always true: it is asked for, not only shown."""
    code: str
    """Its name in `attribute[code]`."""
    datatype: str
    """string, or singlevaluelist where `values` has them all."""
    required: bool
    """Whether a request must say it."""
    datatype_description: str
    """The form of its value, in words."""
    order: int
    """Its place, from 1."""
    description: str
    """Its question to a person."""
    values: list[AttributeValue]
    """The values it may have; none where it is a text."""


class ServiceDefinition(HttpAnswer, frozen=True, kw_only=True):
    """The attributes of a service."""

    service_code: str
    """Its code."""
    attributes: list[ServiceAttribute]
    """In their order."""


class RequestNote(HttpAnswer, frozen=True, kw_only=True):
    """A fact of a request's life that may be told."""

    datetime: str
    """When it happened."""
    description: str
    """The fact in a sentence."""
    type: str
    """The state it led to."""


class ExtendedAttributes(HttpAnswer, frozen=True, kw_only=True):
    """Further parts of a request."""

    photos: list[str]
    """The addresses of what came with it."""


class ServiceRequest(HttpAnswer, frozen=True, kw_only=True):
    """A complaint as GeoReport shows a request."""

    service_request_id: str
    """The complaint's number."""
    status: str
    """open or closed."""
    status_notes: str
    """Where it stands, in a sentence."""
    service_name: str | UnsetType = UNSET
    """The name of its subject; left out where the catalogue does not know it."""
    service_code: str
    """The code of its subject."""
    description: str | UnsetType = UNSET
    """The citizen's words; only for who sent it, and for who may read all."""
    agency_responsible: str | UnsetType = UNSET
    """The unit that has it."""
    requested_datetime: str
    """When it was received."""
    updated_datetime: str
    """When it changed last; of a closed one, when it was closed."""
    expected_datetime: str | UnsetType = UNSET
    """Until when it must be answered; left out of a closed one."""
    address: str | UnsetType = UNSET
    """District and street; for who sent it, and for who may read all, the place as it was given."""
    lat: float | UnsetType = UNSET
    """Latitude in WGS 84, to the same readers as the place."""
    long: float | UnsetType = UNSET
    """Longitude in WGS 84."""
    media_url: str | UnsetType = UNSET
    """The address of a picture that came with it, to the same readers."""
    notes: list[RequestNote] | UnsetType = UNSET
    """With `extensions=true`: what happened, the oldest first."""
    extended_attributes: ExtendedAttributes | UnsetType = UNSET
    """With `extensions=true`: all that came with it."""


class AcceptedRequest(HttpAnswer, frozen=True, kw_only=True):
    """Kafka has the request; the token says its number once it is on record."""

    token: str
    """To be asked for at `tokens/TOKEN`."""
    service_notice: str
    """The next step, in a sentence."""
    citizen_link: str | UnsetType = UNSET
    """The path of the citizen's own page, with its secret; for the citizen alone, and shown this once."""


class TokenAnswer(HttpAnswer, frozen=True, kw_only=True):
    """The request that a token stands for."""

    token: str
    """As it was asked for."""
    service_request_id: str | UnsetType = UNSET
    """The complaint's number; left out until it is on record."""


class RequestUpdate(HttpAnswer, frozen=True, kw_only=True):
    """A change of a request that its sender hears of."""

    update_id: str
    """The id of the fact."""
    service_request_id: str
    """The complaint's number."""
    status: str
    """The state it led to, one of a fixed list."""
    updated_datetime: str
    """When it was recorded."""
    description: str
    """The change in a sentence."""


class AcceptedUpdate(HttpAnswer, frozen=True, kw_only=True):
    """An update that was sent, and what came of it is as asked."""

    update_id: str
    """The id under which it is known here."""


class DiscoveredEndpoint(HttpAnswer, frozen=True, kw_only=True):
    """An address at which this API answers."""

    specification: str
    """The document it follows."""
    url: str
    """The address before `/services.xml`."""
    changeset: str
    """When its services changed last."""
    type: str
    """production."""
    formats: list[str]
    """Content types."""


class Open311Discovery(HttpAnswer, frozen=True, kw_only=True):
    """Where the API is, and whom to ask for a key."""

    changeset: str
    """When this changed last."""
    contact: str
    """The people to ask."""
    key_service: str
    """How to get a key."""
    endpoints: list[DiscoveredEndpoint]
    """All of them."""


class GeoReportError(HttpAnswer, frozen=True, kw_only=True):
    """A reason why a request was not done, as GeoReport has it."""

    code: int
    """The status of the answer."""
    description: str
    """The reason in words."""


class GeoReportList(msgspec.Struct, frozen=True, kw_only=True):
    """A body that is a list."""

    kind: type[HttpAnswer]
    items: Sequence[HttpAnswer]


BODIES: Final = (
    Open311Service,
    AttributeValue,
    ServiceAttribute,
    ServiceDefinition,
    RequestNote,
    ExtendedAttributes,
    ServiceRequest,
    AcceptedRequest,
    TokenAnswer,
    RequestUpdate,
    AcceptedUpdate,
    DiscoveredEndpoint,
    Open311Discovery,
    GeoReportError,
)
"""Every body, for the contract."""
