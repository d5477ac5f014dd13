"""The contract for people: one page, made on the server, that asks nobody for anything."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Final

import pytest

from hotline.web.document import document
from hotline.web.page import POLICY, page
from hotline.web.roles import HttpListener
from hotline.web.routes import at

MADE: Final = {listener: page(document(at(listener)), listener) for listener in HttpListener}
EACH: Final = pytest.mark.parametrize("listener", HttpListener)
EMPTY: Final = {"meta", "link", "br", "hr", "img", "input"}


class Reader(HTMLParser):
    """The texts of the page, and whether its tags close."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.append((name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@EACH
def test_every_operation_and_shape_has_its_place_and_every_link_leads_somewhere(
    listener: HttpListener,
) -> None:
    read = Reader(MADE[listener])
    assert read.open == []
    told = document(at(listener))
    names = {operation["operationId"] for methods in told["paths"].values() for operation in methods.values()}
    assert len(read.ids) == len(set(read.ids))
    assert names | set(told["components"]["schemas"]) | {"limits"} == set(read.ids)
    inside = {link[1:] for link in read.links if link.startswith("#")}
    assert inside == set(read.ids)
    assert {link for link in read.links if not link.startswith("#")} == {"/openapi.json", "/asyncapi.json"}


@EACH
def test_it_has_no_script_and_asks_nobody(listener: HttpListener) -> None:
    read = Reader(MADE[listener])
    assert read.tags.isdisjoint({"script", "link", "img", "iframe", "form", "object", "base"})
    assert not [name for name, _ in read.attributes if name.startswith("on") or name in {"style", "src"}]
    assert "url(" not in MADE[listener]
    assert "@import" not in MADE[listener]


@EACH
def test_its_policy_lets_its_own_style_in_and_nothing_else(listener: HttpListener) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", MADE[listener], re.DOTALL)
    assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in POLICY
    assert POLICY.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in POLICY


def test_what_somebody_writes_into_the_contract_is_text() -> None:
    told = document(at(HttpListener.PUBLIC))
    told["info"]["description"] = "<script>alert(1)</script> & `a<b`"
    shown = page(told, "public")
    assert "<script>" not in shown
    assert "<code>a&lt;b</code>" in shown
