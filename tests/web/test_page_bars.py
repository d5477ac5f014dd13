"""The bars of every page: small, from one host, by the catalogues alone, and without a script too."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Response

from hotline.web.identity_provider import ProviderFault
from hotline.web.pages import catalogues, rendering
from hotline.web.pages.look import Language, PageLook
from hotline.web.pages.provider_sign_in import FAULTS
from hotline.web.pages.rendering import environment
from hotline.web.pages.signing_in import FIRST_VISIT
from shared import roles
from tests.city import UNIT
from tests.web.browser import People, needs_browser
from tests.web.door import Door
from tests.web.test_http import recorded

FIRST_LOAD_MAX: Final = 60_000
"""Bytes that the first page of a person takes, packed."""
TEMPLATES: Final = Path(rendering.__file__).parent / "templates"
_TAG: Final = re.compile(r"<[^>]*>", re.DOTALL)
_SHOWN_ATTRIBUTE: Final = re.compile(r'\b(?:title|alt|aria-label|placeholder)="([^"{]*[A-Za-z]{2}[^"{]*)"')
NAMES: Final = {"UTC", "12345", "English", "中文"}
"""Texts that are the same in every language."""


@pytest.mark.parametrize("file", sorted(TEMPLATES.glob("*.html")), ids=lambda file: file.name)
def test_no_text_of_a_template_stands_outside_the_catalogues(file: Path) -> None:
    """A template without its tags and its expressions holds marks and no words."""
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)
    text = re.sub(r"<kbd.*?</kbd>|&\w+;", "", text, flags=re.DOTALL)
    attributes = [found for found in _SHOWN_ATTRIBUTE.findall(text) if found not in NAMES]
    words = re.findall(r"[A-Za-z\u4e00-\u9fff]{2,}", _TAG.sub(" ", text))
    assert [word for word in words if word not in NAMES] == []
    assert attributes == []


def test_no_template_holds_a_script_a_style_or_what_needs_them() -> None:
    for file in TEMPLATES.glob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|js:|<script(?![^>]*\ssrc=)", text), file.name


def test_every_template_renders_in_the_pseudo_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text of the catalogues comes out of it in brackets, so each is really looked up where it is shown."""
    monkeypatch.setattr(rendering, "translations_of", lambda _: catalogues.Pseudo())
    _, sentence = FAULTS[ProviderFault.NO_ROLE]
    environment.cache_clear()
    try:
        made = rendering.rendered(
            PageLook(Language.ENGLISH),
            "sign-in.html",
            staff=None,
            unit_shown="",
            navigation=[],
            here="/",
            back="/",
            **{**FIRST_VISIT, "void": True, "out": True, "provider": True, "fault": sentence},
        )
    finally:
        environment.cache_clear()
    plain = re.sub(
        r"⟦.*?⟧", "", re.sub(r"<(script|style).*?</\1>", "", made, flags=re.DOTALL), flags=re.DOTALL
    )
    words = re.findall(r"[A-Za-z]{2,}", _TAG.sub(" ", plain))
    assert [word for word in words if word not in NAMES] == []


@pytest.mark.connected
@needs_browser
async def test_the_first_load_is_small_and_the_next_one_takes_the_page_alone(
    people: People, door: Door
) -> None:
    agents = await door.of(roles.AGENTS)
    for _ in range(5):
        await recorded(agents)
    clerk = await people.sign_in("王芳", roles.UNIT, UNIT)
    page = await clerk.page.context.new_page()
    loaded: list[Response] = []
    page.on("response", lambda one: loaded.append(one))  # noqa: PLW0108 -- playwright marks the function
    await page.goto(people.origin + "/work?tab=helping")
    files = [one for one in loaded if "/static/" in one.url]
    packed = 0
    for one in loaded:
        packed += 0 if "/live" in one.url else len(gzip.compress(await one.body()))
    assert packed <= FIRST_LOAD_MAX
    assert {one.headers["cache-control"] for one in files} == {"public, max-age=31536000, immutable"}
    answer = next(one for one in loaded if one.url.endswith("tab=helping"))
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.connected
@needs_browser
async def test_a_unit_signs_and_answers_without_any_script(people: People, door: Door) -> None:
    made = await recorded(await door.of(roles.AGENTS))
    clerk = await people.sign_in("王芳", roles.UNIT, UNIT, java_script_enabled=False)
    page = clerk.page
    await (await clerk.turn_to("/work?tab=to-sign", f"a[href='/work/{made['complaint_number']}']")).click()
    await page.locator("form[action$='/sign'] button").click()
    await page.wait_for_url("**done=OrderSigned*")
    await page.locator("a[href='?do=answer']").click()
    await page.locator("#f-result").fill("已恢复供水")
    await page.locator("form.fields button.main").click()
    await page.wait_for_url("**done=OrderAnswered*")
