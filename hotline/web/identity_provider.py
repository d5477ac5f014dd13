"""The city's identity provider, by OpenID Connect: code flow with PKCE, and an ID token that is proved (decision 0074).

No token and no code goes into a log, an error or a page. A fault is told by its kind and the name of a claim.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from enum import Enum
from hashlib import sha256
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from hotline.web.provided_people import ClaimNames

DISCOVERY: Final = "/.well-known/openid-configuration"
ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Of ID tokens: signed by a key that the provider alone has. Neither `none` nor a shared secret is taken."""
PROVIDER_SECONDS_MAX: Final = 10.0
"""How long one step with the provider may take, all its requests together."""
LEEWAY_SECONDS: Final = 60
"""How far the provider's clock may be from ours."""


class ProviderFault(Enum):
    """Every way in which a sign-in by the provider ends without a session."""

    AWAY = "AWAY"
    """The provider does not answer, or not as a provider."""
    OVER = "OVER"
    """The answer belongs to no sign-in that this browser began, or it came too late, or twice."""
    DENIED = "DENIED"
    """The provider let the person in not at all, or would not take the code."""
    NOT_PROVED = "NOT_PROVED"
    """The ID token failed a check."""
    NO_ROLE = "NO_ROLE"
    """The claims give the person no role here."""
    REVOKED = "REVOKED"
    """An operator has revoked the person."""
    NO_END = "NO_END"
    """The provider has no page to sign out."""


class ProviderRefusal(Exception):  # noqa: N818 -- an answer, not our failure
    """The sign-in ends with this fault; `why` goes into the log and holds neither token nor code."""

    def __init__(self, fault: ProviderFault, why: str) -> None:
        """See `ProviderFault`."""
        super().__init__(f"{fault.value}: {why}")
        self.fault: Final = fault
        self.why: Final = why


class SignInUnderWay(NamedTuple):
    """A sign-in that waits for the provider's answer: all it needs follows from what the browser's cookie holds."""

    secret: str
    """43 characters of 32 random bytes."""

    @property
    def state(self) -> str:
        """The word by which the answer is known to belong to this browser."""
        return self._made("state")

    @property
    def nonce(self) -> str:
        """The word by which the ID token is known to belong to this sign-in."""
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        """The secret of PKCE: whoever sees the code alone gets no token for it."""
        return self._made("verifier")

    def _made(self, word: str) -> str:
        return urlsafe_b64encode(sha256(f"{word} {self.secret}".encode()).digest()).decode().rstrip("=")


class ProviderSettings(NamedTuple):
    """The provider, and the hotline as its client."""

    issuer: str
    client_id: str
    secret: Callable[[], str]
    """Read at each sign-in, so a changed one is used at once; empty: a client without a secret."""
    address: str
    """Of the pages, as people reach them: scheme and host."""
    scope: str
    ca_file: str
    """Certificates that the provider's is signed by; empty: those of the system."""
    roles: Mapping[str, str]
    claims: ClaimNames


class IdentityProvider:
    """See the module. It asks the provider anew at each step: its keys and addresses may change any day."""

    def __init__(self, told: ProviderSettings, back: str) -> None:
        """`back`: the path of the page to which the provider sends the browser."""
        self.told: Final = told
        self._back = told.address + back
        self._trusted = ssl.create_default_context(cafile=told.ca_file or None)

    async def way_in(self, under_way: SignInUnderWay) -> str:
        """The provider's address at which this sign-in goes on."""
        async with self._asking() as client:
            at = await self._described(client)
            address, _ = client.create_authorization_url(
                _address(at, "authorization_endpoint"),
                state=under_way.state,
                nonce=under_way.nonce,
                code_verifier=under_way.verifier,
            )
            return str(address)

    async def way_out(self, then: str) -> str:
        """The provider's address at which its own session ends; `then`: the path of the page after it."""
        async with self._asking() as client:
            at = await self._described(client)
            if "end_session_endpoint" not in at:
                raise ProviderRefusal(ProviderFault.NO_END, "end_session_endpoint")
            asked = {"client_id": self.told.client_id, "post_logout_redirect_uri": self.told.address + then}
            end = _address(at, "end_session_endpoint")
            return f"{end}{'&' if urlsplit(end).query else '?'}{urlencode(asked)}"

    async def claims_for(self, code: str, under_way: SignInUnderWay) -> Mapping[str, Any]:
        """The claims of the ID token that this code gives, each proved."""
        async with self._asking() as client:
            at = await self._described(client)
            told = await client.fetch_token(
                _address(at, "token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=under_way.verifier,
            )
            keys = await _json(client, _address(at, "jwks_uri"))
            return self._proved(told, keys, under_way.nonce)

    def _proved(self, told: Mapping[str, Any], keys: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        options = {
            "iss": {"essential": True, "value": self.told.issuer},
            "aud": {"essential": True, "value": self.told.client_id},
            "nonce": {"essential": True, "value": nonce},
        }
        asked = {"nonce": nonce, "client_id": self.told.client_id, "access_token": told.get("access_token")}
        try:
            token = jwt.decode(
                told["id_token"],
                KeySet.import_key_set(keys),  # type: ignore[arg-type]  # of another party: it raises
                registry=JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False),
            )
            claims = CodeIDToken(token.claims, token.header, options, asked)
            claims.validate(leeway=LEEWAY_SECONDS)
        except JoseError as error:
            claim = getattr(error, "claim", "")
            raise ProviderRefusal(ProviderFault.NOT_PROVED, f"{error.error} {claim}".strip()) from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ProviderRefusal(ProviderFault.NOT_PROVED, type(error).__name__) from None
        return dict(claims)

    async def _described(self, client: Any) -> Mapping[str, Any]:
        """The provider's own description; one that names another issuer is none."""
        at = await _json(client, self.told.issuer.rstrip("/") + DISCOVERY)
        if at.get("issuer") != self.told.issuer:
            raise ProviderRefusal(ProviderFault.AWAY, "the description names another issuer")
        return at

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Any]:
        """A client of the provider for one step; whatever keeps it from an answer is `ProviderRefusal`."""
        try:
            secret = self.told.secret()
            async with (
                asyncio.timeout(PROVIDER_SECONDS_MAX),
                AsyncOAuth2Client(
                    self.told.client_id,
                    secret or None,
                    token_endpoint_auth_method="client_secret_basic" if secret else "none",
                    scope=self.told.scope,
                    redirect_uri=self._back,
                    code_challenge_method="S256",
                    verify=self._trusted,
                    trust_env=False,
                ) as client,
            ):
                yield client
        except OAuthError as error:
            raise ProviderRefusal(ProviderFault.DENIED, _plain(str(error.error))) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise ProviderRefusal(ProviderFault.AWAY, type(error).__name__) from None


def _plain(text: str) -> str:
    """A word of another party, as it may stand in a log."""
    return "".join(char for char in text if char.isalnum() or char in "_- ")[:64]


def _address(at: Mapping[str, Any], name: str) -> str:
    address = at.get(name)
    if not isinstance(address, str) or not is_safe(address):
        raise ProviderRefusal(ProviderFault.AWAY, f"the description has no {name} over TLS")
    return address


def is_safe(address: str) -> bool:
    """Whether nobody on the way reads what goes to this address: TLS, or this machine."""
    at = urlsplit(address)
    return bool(at.hostname) and (
        at.scheme == "https" or (at.scheme == "http" and at.hostname in {"127.0.0.1", "::1", "localhost"})
    )


async def _json(client: Any, address: str) -> Mapping[str, Any]:
    answer = await client.request("GET", address, withhold_token=True)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 -- what another party sent is no type of ours
    return found
