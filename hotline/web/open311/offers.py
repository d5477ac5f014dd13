"""The services of a city, made of its dispatch catalogue: codes, names in two languages, attributes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from hotline.web.open311.shapes import AttributeValue, Open311Service, ServiceAttribute, ServiceDefinition
from shared.events.base import RequestType
from shared.policy.catalogue import Catalogue
from shared.text import folded


class Locale(StrEnum):
    """The languages of names and sentences."""

    ZH = "zh"
    EN = "en"


def locale_of(asked: str) -> Locale:
    """The language that was asked for; Chinese where it is none of ours."""
    return Locale.EN if asked.lower().startswith(Locale.EN) else Locale.ZH


DISTRICT, STREET, TITLE, REQUEST_TYPE, CONFIDENTIAL = ATTRIBUTES = (
    "district",
    "street",
    "title",
    "request_type",
    "confidential",
)
"""The attributes of every service, by their codes."""
YES: Final = "true"
NO: Final = "false"
_TYPES: Final[Mapping[RequestType, tuple[str, str]]] = {
    RequestType.HELP: ("求助", "Help"),
    RequestType.COMPLAINT: ("投诉", "Complaint"),
    RequestType.REPORT: ("举报", "Report"),
    RequestType.SUGGEST: ("建议", "Suggestion"),
    RequestType.CONSULT: ("咨询", "Question"),
    RequestType.PRAISE: ("表扬", "Praise"),
}
_ASKED: Final[Mapping[str, tuple[str, str]]] = {
    DISTRICT: (
        "所在区;地址中写明时可不填",
        "The district it is about; it may be left out where the address names it",
    ),
    STREET: (
        "所在街道或乡镇;地址中写明时可不填",
        "The street or town it is about; it may be left out where the address names it",
    ),
    TITLE: ("诉求标题;不填时取描述的开头", "The request in one line; else the beginning of the description"),
    REQUEST_TYPE: ("诉求类型;不填时为求助", "The type of request; a call for help where it is left out"),
    CONFIDENTIAL: ("是否要求对承办单位保密", "Whether no unit may learn who it was"),
}
_LISTED: Final = ("列表中的一个值", "One of the values")
_TEXT: Final = ("文字,不超过200字", "A text of at most 200 characters")


class CataloguePlace(NamedTuple):
    """Where a request is about, by names of the catalogue."""

    district: str
    street: str | None


class ServiceOffers:
    """The services of a city."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Each subject of the catalogue is a service."""
        self.catalogue = catalogue
        self._subjects = {catalogue.code_of(name): name for name in catalogue.subjects}
        self._districts = {one.unit: name for name, one in catalogue.districts.items()}
        self._streets = {
            unit: CataloguePlace(name, street)
            for name, one in catalogue.districts.items()
            for street, unit in one.streets.items()
        }

    def subject_of(self, code: str) -> str | None:
        """The subject with this code; None where there is none."""
        return self._subjects.get(code)

    def code_of(self, subject: str) -> str:
        """See `Catalogue.code_of`."""
        return self.catalogue.code_of(subject)

    def name_of(self, subject: str, locale: Locale) -> str | None:
        """The name of a subject; None where the catalogue does not know it, for then anybody may have typed it."""
        known = self.catalogue.subjects.get(subject)
        if known is None:
            return None
        return known.name_en if locale is Locale.EN and known.name_en else subject

    def unit_named(self, unit: str) -> str:
        """The name of a unit, or its id."""
        known = self.catalogue.units.get(unit)  # type: ignore[call-overload]  # any text may be asked for
        return unit if known is None else known.name

    def services(self, locale: Locale) -> list[Open311Service]:
        """All of them, in the order of the catalogue."""
        return [self._service(name, locale) for name in self.catalogue.subjects]

    def _service(self, subject: str, locale: Locale) -> Open311Service:
        english = self.catalogue.subjects[subject].name_en
        group, _, rest = subject.partition("/")
        return Open311Service(
            service_code=self.code_of(subject),
            service_name=self.name_of(subject, locale) or subject,
            description=f"{subject} ({english})" if english else subject,
            metadata=True,
            type="batch",
            keywords=",".join(word for word in (group, rest, english) if word),
            group=group,
        )

    def definition(self, code: str, locale: Locale) -> ServiceDefinition:
        """The attributes of a service; they are the same for each."""
        second = locale is Locale.EN
        values = {
            DISTRICT: [
                AttributeValue(key=unit, name=self._district_named(unit, second=second))
                for unit in self._districts
            ],
            STREET: [
                AttributeValue(key=unit, name=f"{place.district}{place.street}")
                for unit, place in self._streets.items()
            ],
            REQUEST_TYPE: [AttributeValue(key=kind, name=names[second]) for kind, names in _TYPES.items()],
            CONFIDENTIAL: [
                AttributeValue(key=key, name=names[second])
                for key, names in ((YES, ("是", "Yes")), (NO, ("否", "No")))
            ],
        }
        return ServiceDefinition(
            service_code=code,
            attributes=[
                ServiceAttribute(
                    variable=True,
                    code=name,
                    datatype="singlevaluelist" if name in values else "string",
                    required=False,
                    datatype_description=(_LISTED if name in values else _TEXT)[second],
                    order=order,
                    description=_ASKED[name][second],
                    values=values.get(name, []),
                )
                for order, name in enumerate(ATTRIBUTES, 1)
            ],
        )

    def _district_named(self, unit: str, *, second: bool) -> str:
        """English has no names of districts: the id of its government is beside the name."""
        name = self._districts[unit]  # type: ignore[index]  # its own key
        return f"{name} ({unit})" if second else name

    def district(self, given: str) -> str | None:
        """The district with this key or name."""
        by_key = self._districts.get(given)  # type: ignore[call-overload]  # any text may be given
        if by_key is not None:
            return str(by_key)
        name = folded(given)
        return name if name in self.catalogue.districts else None

    def street(self, given: str, district: str | None) -> CataloguePlace | None:
        """The street with this key, this name in the district, or this name in one district alone."""
        by_key = self._streets.get(given)  # type: ignore[call-overload]  # any text may be given
        if by_key is not None:
            return CataloguePlace(*by_key) if district in {None, by_key.district} else None
        name = folded(given)
        found = [place for place in self._streets.values() if place.street == name]
        here = [place for place in found if district in {None, place.district}]
        return here[0] if len(here) == 1 else None

    def place_in(self, address: str, district: str | None) -> CataloguePlace | None:
        """The place that an address names; None where it names no district and no street of one district alone."""
        text = folded(address)
        named = district or _only([name for name in self.catalogue.districts if name in text])
        streets = [
            place
            for place in self._streets.values()
            if place.street is not None and place.street in text and named in {None, place.district}
        ]
        # A longer name goes before one that is part of it.
        longest = max((len(place.street or "") for place in streets), default=0)
        streets = [place for place in streets if len(place.street or "") == longest]
        if len(streets) == 1:
            return streets[0]
        return None if named is None else CataloguePlace(named, None)


def _only(names: Sequence[str]) -> str | None:
    return names[0] if len(names) == 1 else None
