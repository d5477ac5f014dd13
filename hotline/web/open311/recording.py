"""A form of GeoReport to the request that is put on record. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from hotline.readside.rows import FOLLOWED
from hotline.web.open311.contacts import NAMED
from hotline.web.open311.forms import GivenForm, bad
from hotline.web.open311.offers import (
    ATTRIBUTES,
    CONFIDENTIAL,
    DISTRICT,
    NO,
    REQUEST_TYPE,
    STREET,
    TITLE,
    YES,
    CataloguePlace,
    Locale,
    ServiceOffers,
)
from hotline.web.problems import HttpRefusal, ProblemKind
from shared.events.base import RequestType
from shared.ids import derived
from shared.inputs import RecordRequest
from shared.policy.ruleset import RuleSet
from shared.text import has_words

CHANNEL: Final = "open311"
DESCRIPTION_MAX: Final = 4000
"""Characters, as the standard has it."""
ADDRESS_MAX: Final = 300
"""Characters of address and coordinates together with the mark between them stay below what a request takes."""
NAME_MAX: Final = 200
"""Characters of who recorded it."""
TITLE_CHARACTERS: Final = 50
"""Of a description that has no title of its own."""
MEDIA_MAX: Final = 20
MEDIA_CHARACTERS_MAX: Final = 400
UNKNOWN_DISTRICT: Final = "待核实"
"""Of a request whose address names none: it is unlisted, so the hotline's own desk has it corrected."""
FIELDS: Final[Mapping[str, str]] = {
    "jurisdiction_id": "Not read: there is one city here.",
    "api_key": "ID.SECRET of `hotline key add agents`, where it does not stand in the query or a header.",
    "service_code": "A code of `services`; required.",
    "lat": "Latitude in WGS 84; with `long` one of the three ways to say where.",
    "long": "Longitude in WGS 84.",
    "address_string": f"The place in words, at most {ADDRESS_MAX} characters: the second way.",
    "address_id": "An id of the place: the third way; kept as words.",
    "description": f"The request, at most {DESCRIPTION_MAX} characters.",
    "first_name": "The citizen's given name. It is sealed into the vault and sent nowhere.",
    "last_name": "The citizen's family name, likewise.",
    "email": "The citizen's address of e-mail, likewise.",
    "phone": "The citizen's telephone number, likewise.",
    "device_id": "Not kept: a telephone number or an address of e-mail is what a citizen is reached by.",
    "deviceid": "The same, as FixMyStreet spells it.",
    "account_id": "Not kept, likewise.",
    "media_url": f"The address of a picture or recording; up to {MEDIA_MAX} of them.",
    "requested_datetime": "Not read: a request counts from its arrival.",
}
"""The fields of a request, and what each is for."""
_MEDIA: Final = re.compile(rf"https?://[^\s\x00-\x20\x7f-\x9f]{{1,{MEDIA_CHARACTERS_MAX - 8}}}")
_MEDIA_LINE: Final = "media_url: "
_POINT: Final = re.compile(r" ?\(WGS84 (-?\d{1,2}\.\d{6}), (-?\d{1,3}\.\d{6})\)$", re.ASCII)


class Wgs84Point(NamedTuple):
    """A place in WGS 84."""

    lat: float
    long: float


class RequestNumbers(NamedTuple):
    """The ids of a request that follow from its login, and from its `Idempotency-Key` where it has one."""

    request_id: str
    event_id: str


def numbers_of(login: str, source: str, once: str) -> RequestNumbers:
    """The same `once` of the same login and source gives the same request, also by a key that replaced the first."""
    own = derived("open311", login, source, once)
    return RequestNumbers(f"{FOLLOWED}{login}:{own}", f"{CHANNEL}-{own}")


def request_of(
    form: GivenForm, offers: ServiceOffers, rules: RuleSet, request_id: str, recorded_by: str
) -> RecordRequest:
    """The request that a form asks to record, without who it was; `HttpRefusal` names the field that is wrong."""
    form.only(FIELDS)
    subject = offers.subject_of(form.one("service_code"))
    if not form.one("service_code"):
        raise bad("service_code", "a code of services")
    if subject is None:
        raise HttpRefusal(
            ProblemKind.NOT_FOUND, "service_code: there is no such service.", field="service_code"
        )
    said = _attributes(form)
    description = form.one("description")
    if len(description) > DESCRIPTION_MAX:
        raise bad("description", f"at most {DESCRIPTION_MAX} characters")
    address, place = _where(form, offers, said)
    return RecordRequest(
        request_id=request_id,
        channel=CHANNEL,
        request_type=RequestType(said.get(REQUEST_TYPE) or RequestType.HELP),
        subject=subject,
        urgency=rules.class_for(subject),
        district=place.district,
        street=place.street,
        address=address,
        title=said.get(TITLE) or _first_line(description) or offers.name_of(subject, Locale.ZH) or subject,
        content=_content(description, form.many("media_url")),
        recorded_by=recorded_by[:NAME_MAX],
        anonymous=not any(form.one(name) for name in NAMED),
        confidential=said.get(CONFIDENTIAL) == YES,
    )


def _attributes(form: GivenForm) -> dict[str, str]:
    said = form.attributes
    for name in said:
        if name not in ATTRIBUTES:
            raise bad(f"attribute[{name}]", "an attribute of the service's definition")
    if said.get(REQUEST_TYPE) and said[REQUEST_TYPE] not in set(RequestType):
        raise bad(f"attribute[{REQUEST_TYPE}]", " or ".join(RequestType))
    if said.get(CONFIDENTIAL) and said[CONFIDENTIAL] not in {YES, NO}:
        raise bad(f"attribute[{CONFIDENTIAL}]", f"{YES} or {NO}")
    return said


def _where(form: GivenForm, offers: ServiceOffers, said: Mapping[str, str]) -> tuple[str, CataloguePlace]:
    """The place in words, and by names of the catalogue."""
    words, point = form.one("address_string") or form.one("address_id"), _point(form)
    if len(words) > ADDRESS_MAX:
        raise bad("address_string", f"at most {ADDRESS_MAX} characters")
    if not words and point is None:
        raise bad("lat", "lat and long, or address_string, or address_id")
    district = street = None
    if said.get(DISTRICT) and (district := offers.district(said[DISTRICT])) is None:
        raise bad(f"attribute[{DISTRICT}]", "a value of the service's definition")
    if said.get(STREET) and (street := offers.street(said[STREET], district)) is None:
        raise bad(f"attribute[{STREET}]", "a value of the service's definition, in the district")
    place = street or offers.place_in(words, district) or CataloguePlace(UNKNOWN_DISTRICT, None)
    return with_point(words, point), place


def _point(form: GivenForm) -> Wgs84Point | None:
    given = [form.one(name) for name in ("lat", "long")]
    if not any(given):
        return None
    found: list[float] = []
    for name, text, most in zip(("lat", "long"), given, (90, 180), strict=True):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not abs(value) <= most:
            raise bad(name, f"degrees from -{most} to {most}")
        found.append(value)
    return Wgs84Point(*found)


def with_point(words: str, point: Wgs84Point | None) -> str:
    """A place in words, with its coordinates behind it."""
    if point is None:
        return words
    return f"{words} (WGS84 {point.lat:.6f}, {point.long:.6f})".strip()


def without_point(address: str) -> tuple[str, Wgs84Point | None]:
    """The place in words, and its coordinates where it has some."""
    found = _POINT.search(address)
    if found is None:
        return address, None
    return address[: found.start()], Wgs84Point(float(found[1]), float(found[2]))


def _first_line(description: str) -> str:
    line = next((one.strip() for one in description.splitlines() if has_words(one)), "")
    return line[:TITLE_CHARACTERS]


def _content(description: str, media: Sequence[str]) -> str:
    if len(media) > MEDIA_MAX:
        raise bad("media_url", f"at most {MEDIA_MAX} addresses")
    for address in media:
        if not _MEDIA.fullmatch(address):
            raise bad("media_url", f"an http address of at most {MEDIA_CHARACTERS_MAX} characters")
    content = "\n".join((description, *(f"{_MEDIA_LINE}{address}" for address in media))).strip()
    if len(content) > DESCRIPTION_MAX:
        raise bad("media_url", f"at most {DESCRIPTION_MAX} characters together with the description")
    return content


def without_media(content: str) -> tuple[str, list[str]]:
    """A request's own words, and the addresses that were given with them."""
    lines = content.split("\n")
    media = [line.removeprefix(_MEDIA_LINE) for line in lines if line.startswith(_MEDIA_LINE)]
    return "\n".join(line for line in lines if not line.startswith(_MEDIA_LINE)), media
