"""The contact beside a request: taken out before the request is sent, and no text of an error shows what it holds."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
import pytest

from hotline.web.contact_seal import BESIDE, GivenContact, without_contact
from hotline.web.problems import HttpRefusal
from shared.contacts.details import Contact

REQUEST: Final[dict[str, Any]] = {"request_id": "r-1", "title": "没有水", "content": "contact"}
LI: Final = {"name": "李梅", "phone": "13800138000", "email": "li@example.org"}


def body(contact: object, **more: Any) -> bytes:
    return json.dumps({**REQUEST, **more, BESIDE: contact}).encode()


def test_the_request_goes_on_without_it_and_with_everything_else() -> None:
    rest, contact = without_contact(body(LI))
    assert json.loads(rest) == REQUEST
    assert contact == Contact(name="李梅", phone="13800138000", email="li@example.org")


@pytest.mark.parametrize(
    "given", [json.dumps(REQUEST).encode(), b"", b"[]", b'"contact"', b'{"contact": ', b'{"a":"contact"}']
)
def test_a_body_without_one_comes_back_as_it_is(given: bytes) -> None:
    assert without_contact(given) == (given, None)


@pytest.mark.parametrize(
    ("contact", "field"),
    [
        ("13800138000", "contact"),
        (None, "contact"),
        ({}, "contact"),
        ({**LI, "number": "13800138000"}, "contact"),
        ({**LI, "phone": 13800138000}, "contact"),
        ({**LI, "phone": "13800138000" * 9}, "contact"),
        ({**LI, "phone": "1380013800零"}, "contact.phone"),
        ({**LI, "email": "li.example.org"}, "contact.email"),
        ({**LI, "name": "李\u200b\u0007"}, "contact.name"),
        ({"address": "  "}, "contact.address"),
    ],
)
def test_one_that_cannot_be_kept_is_refused_by_its_field_and_nothing_of_it_is_said(
    contact: Any, field: str
) -> None:
    with pytest.raises(HttpRefusal) as refused:
        without_contact(body(contact))
    problem = refused.value.problem
    assert problem.field == field
    said = msgspec.json.encode(problem).decode()
    assert not any(value in said for value in ("13800138000", "1380013800", "li.example", "李"))


def test_an_anonymous_request_has_none() -> None:
    with pytest.raises(HttpRefusal, match="anonymous"):
        without_contact(body(LI, anonymous=True))
    assert without_contact(body(LI, anonymous=False))[1] is not None


def test_a_given_contact_shows_nothing_where_it_is_printed() -> None:
    assert repr(GivenContact(name="李梅", phone="13800138000")) == "GivenContact(…)"
