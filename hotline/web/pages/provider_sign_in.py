"""Signing in by the city's identity provider: there, back, and out again (decision 0074)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hmac import compare_digest
from types import MappingProxyType
from typing import Final

from starlette.requests import Request

from hotline.web.asking import Rooms
from hotline.web.identity_provider import ProviderFault, ProviderRefusal, SignInUnderWay
from hotline.web.pages import staff
from hotline.web.pages.asking import PageMoved, PageView
from hotline.web.pages.catalogues import N_
from hotline.web.pages.gate import (
    SIGN_IN,
    client_of,
    own_path,
    session_cookie,
    session_in,
    under_way_cookie,
    under_way_in,
)
from hotline.web.pages.look import PageLook
from hotline.web.pages.naming import unit_name
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.signing_in import sign_in_view
from hotline.web.pages.staff import ProvidedStaff
from hotline.web.provided_people import ProvidedPerson, person_of

PROVIDER: Final = f"{SIGN_IN}/provider"
BACK: Final = f"{PROVIDER}/back"
"""The provider sends the browser here; it knows the address as one of its client's."""
WAY_OUT: Final = f"{PROVIDER}/out"
THEN_MAX: Final = 2_000
"""Characters of the page that was asked for; a longer address is forgotten, and the first page comes."""
CODE_MAX: Final = 4_096
"""Characters of the provider's code."""

_AGAIN: Final = N_("The identity provider does not answer just now. Try again, or ask for a one-time link.")
FAULTS: Final = MappingProxyType(
    {
        ProviderFault.AWAY: (503, _AGAIN),
        ProviderFault.OVER: (
            403,
            N_("This sign-in began in another browser, took too long, or is over already. Sign in anew."),
        ),
        ProviderFault.DENIED: (
            403,
            N_("The identity provider did not let you in. Sign in anew, or ask there."),
        ),
        ProviderFault.NOT_PROVED: (
            403,
            N_(
                "The identity provider's answer failed a check, so nobody was signed in. "
                "Those who run the hotline can see why."
            ),
        ),
        ProviderFault.NO_ROLE: (
            403,
            N_("Your account has no role here. Those who keep the identity provider give it one."),
        ),
        ProviderFault.REVOKED: (403, N_("Your access was revoked. Ask those who run the hotline.")),
        ProviderFault.NO_END: (
            404,
            N_("The identity provider has no page to sign out. You are signed out here. Close the browser."),
        ),
    }
)
"""By fault the status and the sentence of the page."""
Step = Callable[[Request, Rooms, ProvidedStaff], Awaitable[PageView | PageMoved]]


async def begin_at_provider(request: Request, look: PageLook, rooms: Rooms) -> PageView | PageMoved:
    """Send the browser to the provider, with a cookie that knows this sign-in again."""
    del look
    return await _stepped(request, rooms, _begin)


async def come_back(request: Request, look: PageLook, rooms: Rooms) -> PageView | PageMoved:
    """Prove the provider's answer, and begin a session; a person of several roles chooses one first."""
    del look
    return await _stepped(request, rooms, _come_back)


async def sign_out_at_provider(request: Request, look: PageLook, rooms: Rooms) -> PageView | PageMoved:
    """Send the browser to the provider's own page to sign out."""
    del look
    return await _stepped(request, rooms, _sign_out)


async def _stepped(request: Request, rooms: Rooms, step: Step) -> PageView | PageMoved:
    """One step with the provider; a fault is a sentence on the page to sign in."""
    rooms.rates.spend_stranger(client_of(request))
    provided = rooms.provided
    if provided is None:
        raise PageRefusal(PageFault.NOT_FOUND)
    try:
        return await step(request, rooms, provided)
    except ProviderRefusal as refused:
        rooms.telemetry.log.warning("not_signed_in", fault=refused.fault.value, why=refused.why)
        status, sentence = FAULTS[refused.fault]
        return sign_in_view(rooms, {"fault": sentence}, status)


async def _begin(request: Request, rooms: Rooms, provided: ProvidedStaff) -> PageMoved:
    del rooms
    then = own_path(request.query_params.get("then", "/"))
    under_way = await provided.begin(then if len(then) <= THEN_MAX else "/")
    address = await provided.provider.way_in(under_way)
    return PageMoved(address, under_way_cookie(request, under_way.secret))


async def _come_back(request: Request, rooms: Rooms, provided: ProvidedStaff) -> PageView | PageMoved:
    told = request.query_params
    under_way = _known(request, told.get("state", ""))
    goes_to = await provided.end(under_way)
    if goes_to is None:
        raise ProviderRefusal(ProviderFault.OVER, "it is under way no more")
    if told.get("iss", provided.provider.told.issuer) != provided.provider.told.issuer:
        raise ProviderRefusal(ProviderFault.NOT_PROVED, "iss of the answer")
    code = told.get("code", "")
    if "error" in told or not 0 < len(code) <= CODE_MAX:
        raise ProviderRefusal(ProviderFault.DENIED, "an error came instead of a code")
    person = await _person(rooms, provided, code, under_way)
    lines = await provided.admit(person)
    choices = [one for one in lines if one.link]
    if not choices:
        raise ProviderRefusal(ProviderFault.REVOKED, " ".join(one.staff_id for one in lines))
    if len(choices) > 1:
        shown = [(one.link, one.login.role, unit_name(rooms.catalogue, one.login.name)) for one in choices]
        return PageView("sign-in-roles.html", {"name": person.name, "choices": shown, "then": goes_to})
    session = await staff.signed_in(rooms.pool, choices[0].link)
    if session is None:
        raise ProviderRefusal(ProviderFault.OVER, "revoked meanwhile")
    await staff.signed_out(rooms.pool, session_in(request))
    return PageMoved(goes_to, {**session_cookie(request, session), **under_way_cookie(request, None)})


def _known(request: Request, state: str) -> SignInUnderWay:
    """The sign-in of this browser; `ProviderRefusal` where the state of the answer is of none or of another."""
    secret = under_way_in(request)
    if not staff.is_secret(secret):
        raise ProviderRefusal(ProviderFault.OVER, "the browser waits in no sign-in")
    under_way = SignInUnderWay(secret)
    if not compare_digest(under_way.state.encode(), state.encode()):
        raise ProviderRefusal(ProviderFault.OVER, "the state is of another sign-in")
    return under_way


async def _person(
    rooms: Rooms, provided: ProvidedStaff, code: str, under_way: SignInUnderWay
) -> ProvidedPerson:
    told = provided.provider.told
    claims = await provided.provider.claims_for(code, under_way)
    try:
        person = person_of(claims, told.claims, told.roles, lambda unit: unit in rooms.catalogue.units)
    except ValueError as error:
        raise ProviderRefusal(ProviderFault.NOT_PROVED, f"claim {error}") from None
    if not person.logins:
        raise ProviderRefusal(ProviderFault.NO_ROLE, f"claim {told.claims.roles}")
    return person


async def _sign_out(request: Request, rooms: Rooms, provided: ProvidedStaff) -> PageMoved:
    del request, rooms
    return PageMoved(await provided.provider.way_out(SIGN_IN))
