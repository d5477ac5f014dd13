"""People sign in by an identity provider that runs: the code flow over sockets, and every way in which it may fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc.jwk import RSAKey

from hotline.web.pages import staff
from hotline.web.pages.gate import SESSION_COOKIE, UNDER_WAY_COOKIE
from hotline.web.pages.look import LANGUAGE_COOKIE, Language, Theme
from hotline.web.pages.staff import ListedStaff
from shared.log.acts import acting
from shared.log.reading import reader
from tests.city import OTHER_UNIT, UNIT, City
from tests.web.browser import People, needs_browser
from tests.web.door import Door, open_door
from tests.web.oidc_provider import CLIENT, SECRET, Claims, OidcProvider, open_provider, told_of

pytestmark = pytest.mark.connected

ROLES: Final = {"话务": "agents", "审核": "reviewers", "经办": "unit", "本单位": f"unit:{OTHER_UNIT}"}


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[OidcProvider]:
    async with open_provider() as made:
        yield made


@pytest.fixture
def provider(running: OidcProvider) -> OidcProvider:
    running.sane()
    return running


@pytest.fixture(scope="module")
async def door(
    town: City, running: OidcProvider, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Door]:
    folder = tmp_path_factory.mktemp("provided")
    more = told_of(running, folder, ROLES)
    async with open_door(
        town, folder, wired=lambda service: replace(service, env={**service.env, **more})
    ) as made:
        yield made
    log = made.log.read_text()
    # No code, no token, and no secret of anybody is in the log, whatever happened.
    assert [one for one in (*running.tokens, SECRET) if one in log] == []
    assert '"page_failed"' not in log


@pytest.fixture
async def browser(door: Door) -> AsyncIterator[httpx2.AsyncClient]:
    """As a browser goes: it keeps cookies, and follows nothing by itself."""
    cookies = {LANGUAGE_COOKIE: Language.ENGLISH.value}
    async with httpx2.AsyncClient(cookies=cookies, timeout=60, trust_env=False) as made:
        yield made


def pages(door: Door, path: str) -> str:
    return f"http://{door.addresses['staff']}{path}"


def account(sub: str, *roles: str, **more: Any) -> Claims:
    return {"sub": sub, "name": "王芳", "realm_access": {"roles": list(roles)}, **more}


async def answered_at(door: Door, browser: httpx2.AsyncClient, then: str = "/") -> str:
    """Begin to sign in, and go to the provider; the address it sends the browser back to."""
    begun = await browser.get(pages(door, "/sign-in/provider"), params={"then": then})
    assert begun.status_code == 303, begun.text
    at_provider = await browser.get(begun.headers["location"])
    assert at_provider.status_code == 302, at_provider.text
    return str(at_provider.headers["location"])


async def signed_in(door: Door, browser: httpx2.AsyncClient, then: str = "/") -> httpx2.Response:
    return await browser.get(await answered_at(door, browser, then))


async def lines_of(door: Door, sub: str) -> list[ListedStaff]:
    connection = await reader(door.town.endpoints.login("reader"))
    try:
        return [one for one in await staff.listed(connection) if one.account == sub]
    finally:
        await connection.close()


async def refused(door: Door, browser: httpx2.AsyncClient, status: int, words: str) -> None:
    answer = await signed_in(door, browser)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert SESSION_COOKIE not in browser.cookies


async def test_a_person_comes_to_the_page_that_was_asked_for_and_is_a_line_of_the_register(
    door: Door, browser: httpx2.AsyncClient, provider: OidcProvider
) -> None:
    provider.person = account("u-1", "经办", "别的", unit=[UNIT])
    assert "/sign-in/provider?then=%2Fwork%3Ftab%3Doverdue" in (
        await browser.get(pages(door, "/work?tab=overdue"), follow_redirects=True)
    ).text.replace("/work%3Ftab", "%2Fwork%3Ftab")
    back = await signed_in(door, browser, "/work?tab=overdue")
    assert (back.status_code, back.headers["location"]) == (303, "/work?tab=overdue")
    assert UNDER_WAY_COOKIE not in browser.cookies
    shown = await browser.get(pages(door, "/work"))
    assert (shown.status_code, "王芳" in shown.text) == (200, True)
    (line,) = await lines_of(door, "u-1")
    assert (line.name, line.role, line.unit) == ("王芳", "unit", UNIT)
    # Another day: the same line, under the name of then.
    provider.person = {**provider.person, "name": "王芳芳"}
    await signed_in(door, browser)
    (again,) = await lines_of(door, "u-1")
    assert (again.staff_id, again.name) == (line.staff_id, "王芳芳")


async def test_a_person_of_several_roles_chooses_one(
    door: Door, browser: httpx2.AsyncClient, provider: OidcProvider
) -> None:
    provider.person = account("u-2", "审核", "本单位")
    choice = await signed_in(door, browser)
    assert choice.status_code == 200
    codes = [part.partition('"')[0] for part in choice.text.split('name="code" value="')[1:]]
    assert len(codes) == 2
    for code, first in zip(codes, ("/decisions", "/work"), strict=True):
        form = {"code": code, "then": "/"}
        answer = await browser.post(
            pages(door, "/sign-in"), data=form, headers={"Origin": pages(door, "").rstrip("/")}
        )
        assert answer.status_code == 303
        at = await browser.get(pages(door, "/"))
        assert at.headers["location"] == first
    assert {one.role for one in await lines_of(door, "u-2")} == {"reviewers", "unit"}


async def test_a_role_that_is_given_no_more_ends_its_sessions_at_the_next_sign_in(
    door: Door, browser: httpx2.AsyncClient, provider: OidcProvider
) -> None:
    provider.person = account("u-3", "审核")
    await signed_in(door, browser)
    kept = browser.cookies[SESSION_COOKIE]
    provider.person = account("u-3", "话务")
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as other:
        assert (await signed_in(door, other)).status_code == 303
    async with httpx2.AsyncClient(cookies={SESSION_COOKIE: kept}, timeout=60, trust_env=False) as before:
        assert "/sign-in" in (await before.get(pages(door, "/"))).headers["location"]


async def test_a_revoked_person_is_out_at_once_and_stays_out_until_an_operator_says_otherwise(
    door: Door, browser: httpx2.AsyncClient, provider: OidcProvider
) -> None:
    provider.person = account("u-4", "话务")
    await signed_in(door, browser)
    assert (await browser.get(pages(door, "/"))).headers["location"] == "/record"
    (line,) = await lines_of(door, "u-4")
    async with acting(door.town.endpoints.login("operator")) as operator:
        await staff.revoke(operator, line.staff_id)
    assert "/sign-in" in (await browser.get(pages(door, "/"))).headers["location"]
    browser.cookies.delete(SESSION_COOKIE)
    await refused(door, browser, 403, "revoked")
    async with acting(door.town.endpoints.login("operator")) as operator:
        await staff.readmit(operator, line.staff_id)
    assert (await signed_in(door, browser)).status_code == 303


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param({"nonce": "of-another-sign-in"}, id="nonce"),
        pytest.param({"nonce": None}, id="no nonce"),
        pytest.param({"aud": "another-client"}, id="audience"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"iss": "https://other.example"}, id="issuer"),
        pytest.param({"exp": 1_000_000_000}, id="expired"),
        pytest.param({"exp": None}, id="never expires"),
        pytest.param({"sub": None}, id="no account"),
        pytest.param({"sub": "s" * 256}, id="account too long"),
        pytest.param({"azp": "another-client"}, id="party"),
    ],
)
async def test_a_token_that_fails_a_check_signs_nobody_in(
    door: Door, browser: httpx2.AsyncClient, provider: OidcProvider, spoiled: Claims
) -> None:
    provider.person = account("u-5", "审核")
    provider.spoil = lambda claims: {
        name: value for name, value in {**claims, **spoiled}.items() if value is not None
    }
    await refused(door, browser, 403, "failed a check")
    assert await lines_of(door, "u-5") == []


@pytest.mark.parametrize("how", ["unsigned", "by another key", "by the client's secret", "no token"])
async def test_a_token_without_the_providers_signature_signs_nobody_in(
    door: Door, browser: httpx2.AsyncClient, provider: OidcProvider, how: str
) -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    provider.sign = {
        "unsigned": provider.unsigned,
        "by another key": lambda claims: provider.signed(claims, stranger),
        "by the client's secret": provider.signed_by_secret,
        "no token": lambda _: "no.token.at-all",
    }[how]
    provider.person = account("u-6", "审核")
    await refused(door, browser, 403, "failed a check")


async def test_an_answer_belongs_to_the_browser_that_asked(
    door: Door, browser: httpx2.AsyncClient, provider: OidcProvider
) -> None:
    """A link with somebody else's code would sign a person in as somebody else."""
    provider.person = account("u-7", "审核")
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as stranger:
        theirs = await answered_at(door, stranger)
    for waits in (False, True):
        if waits:
            await answered_at(door, browser)
        answer = await browser.get(theirs)
        assert (answer.status_code, "another browser" in answer.text) == (403, True)
        assert SESSION_COOKIE not in browser.cookies


async def test_an_answer_is_taken_once_and_so_is_a_code(
    door: Door, browser: httpx2.AsyncClient, provider: OidcProvider
) -> None:
    provider.person = account("u-8", "审核")
    back = await answered_at(door, browser)
    kept = {UNDER_WAY_COOKIE: browser.cookies[UNDER_WAY_COOKIE]}
    assert (await browser.get(back)).status_code == 303
    async with httpx2.AsyncClient(cookies=kept, timeout=60, trust_env=False) as other:
        assert (await other.get(back)).status_code == 403
        # The same code in a new sign-in: the provider does not give a second token for it.
        used = parse_qs(urlsplit(back).query)["code"][0]
        fresh = parse_qs(urlsplit(await answered_at(door, other)).query)["state"][0]
        answer = await other.get(pages(door, "/sign-in/provider/back"), params={"code": used, "state": fresh})
        assert (answer.status_code, SESSION_COOKIE in other.cookies) == (403, False)


async def test_without_a_role_or_a_known_unit_nobody_is_let_in(
    door: Door, browser: httpx2.AsyncClient, provider: OidcProvider
) -> None:
    for claims in (
        {"sub": "u-9"},
        account("u-9", "别的"),
        account("u-9", "经办"),
        account("u-9", "经办", unit="no-such-unit"),
    ):
        provider.person = claims
        await refused(door, browser, 403, "no role")
    assert await lines_of(door, "u-9") == []


async def test_a_provider_that_denies_is_away_or_is_another_is_told_in_words(
    door: Door, browser: httpx2.AsyncClient, provider: OidcProvider
) -> None:
    provider.person, provider.denies = account("u-10", "审核"), "access_denied"
    await refused(door, browser, 403, "did not let you in")
    provider.sane()
    back = await answered_at(door, browser)
    for spoil in ({"serves": False}, {"describes_as": "https://other.example"}):
        provider.sane()
        for name, value in spoil.items():
            setattr(provider, name, value)
        for path in ("/sign-in/provider", "/sign-in/provider/out"):
            answer = await browser.get(pages(door, path))
            assert (answer.status_code, "one-time link" in answer.text) == (503, True)
    answer = await browser.get(back)
    assert (answer.status_code, SESSION_COOKIE in browser.cookies) == (503, False)


async def test_signing_out_ends_the_session_here_and_offers_the_providers(
    door: Door, browser: httpx2.AsyncClient, provider: OidcProvider
) -> None:
    provider.person = account("u-11", "审核")
    await signed_in(door, browser)
    kept = browser.cookies[SESSION_COOKIE]
    out = await browser.post(pages(door, "/sign-out"), headers={"Origin": pages(door, "").rstrip("/")})
    assert "/sign-in/provider/out" in (await browser.get(pages(door, out.headers["location"]))).text
    leaving = await browser.get(pages(door, "/sign-in/provider/out"))
    told = parse_qs(urlsplit(leaving.headers["location"]).query)
    assert leaving.headers["location"].startswith(provider.issuer + "/out?")
    assert told == {"client_id": [CLIENT], "post_logout_redirect_uri": [pages(door, "/sign-in")]}
    async with httpx2.AsyncClient(cookies={SESSION_COOKIE: kept}, timeout=60, trust_env=False) as before:
        assert "/sign-in" in (await before.get(pages(door, "/"))).headers["location"]


@needs_browser
async def test_the_pages_can_be_used_by_keyboard_and_have_nothing_amiss(
    people: People, provider: OidcProvider
) -> None:
    provider.person = account("u-12", "审核", "话务")
    watched = await people.page()
    for language in Language:
        for theme in (Theme.LIGHT, Theme.DARK):
            await watched.look(language, theme)
            for path in ("/sign-in", "/sign-in?out=1", "/sign-in/provider/back?state=x"):
                await watched.goto(path)
                assert await watched.axe() == []
            await watched.goto("/sign-in/provider")
            assert await watched.page.locator("form .main").count() == 2
            assert await watched.axe() == []
    await watched.page.keyboard.press("Enter")  # the first role has the focus
    await watched.page.wait_for_url("**/decisions")
