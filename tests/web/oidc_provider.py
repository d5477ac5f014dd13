"""A small identity provider for tests: OpenID Connect over HTTP on a socket of its own, with keys of its own.

It checks its client as a provider does: the redirect, PKCE, the client's secret, and that a code is used once.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from deploy.embedded.child import free_ports
from hotline.web.serving import QuietServer, taken

CLIENT: Final = "hotline"
SECRET: Final = "the-clients-secret"  # noqa: S105 -- of a provider that a test starts
Claims = dict[str, Any]


class OidcProvider:
    """See the module; a test says who signs in next, and what is wrong with the answer."""

    def __init__(self, issuer: str) -> None:
        self.issuer: Final = issuer
        self.back = ""
        """The only address it sends a browser to."""
        self.person: Claims = {}
        self.spoil: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = self.signed
        self.denies = ""
        self.serves = True
        self.describes_as = issuer
        self.tokens: list[str] = []
        """All it gave: none of them may be found in a log."""
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self._codes: dict[str, tuple[Claims, str]] = {}

    def signed(self, claims: Claims, key: RSAKey | None = None, **header: Any) -> str:
        """An ID token by the key that it publishes."""
        return jwt.encode({"alg": "RS256", "kid": "one", **header}, claims, key or self.key)

    def signed_by_secret(self, claims: Claims) -> str:
        """One that anybody can sign who knows the client's secret."""
        key = OctKey.import_key(sha256(SECRET.encode()).digest())
        return jwt.encode({"alg": "HS256", "kid": "one"}, claims, key, algorithms=["HS256"])

    def unsigned(self, claims: Claims) -> str:
        """One of the algorithm `none`."""
        head, body, _ = self.signed(claims).split(".")
        del head
        none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
        return f"{none}.{body}."

    def sane(self) -> None:
        """Be a good provider again."""
        self.spoil, self.sign = (lambda claims: claims), self.signed
        self.denies, self.serves, self.describes_as = "", True, self.issuer

    async def describe(self, request: Request) -> Response:
        if not self.serves:
            return Response(status_code=502)
        return JSONResponse(
            {
                "issuer": self.describes_as,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "end_session_endpoint": f"{self.issuer}/out",
            }
        )

    async def authorize(self, request: Request) -> Response:
        told = request.query_params
        fits = (told["client_id"], told["redirect_uri"], told["response_type"], told["code_challenge_method"])
        if fits != (CLIENT, self.back, "code", "S256") or "openid" not in told["scope"].split():
            return Response("no such client", 400)
        answer = {"state": told["state"]}
        if self.denies:
            answer["error"] = self.denies
        else:
            code = answer["code"] = secrets.token_urlsafe(16)
            self._codes[code] = ({**self.person, "nonce": told["nonce"]}, told["code_challenge"])
            self.tokens.append(code)
        return RedirectResponse(f"{self.back}?{urlencode(answer)}", 302)

    async def token(self, request: Request) -> Response:
        form = await request.form()
        scheme, _, basic = request.headers["authorization"].partition(" ")
        client = base64.b64decode(basic).decode()
        claims, challenge = self._codes.pop(str(form["code"]), ({}, ""))
        made = base64.urlsafe_b64encode(sha256(str(form.get("code_verifier")).encode()).digest()).decode()
        if (scheme, client) != ("Basic", f"{CLIENT}:{SECRET}") or form["redirect_uri"] != self.back:
            return JSONResponse({"error": "invalid_client"}, 401)
        if not claims or challenge != made.rstrip("="):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300}
        given = self.sign(self.spoil({**usual, **claims}))
        access = secrets.token_urlsafe(16)
        self.tokens += [given, access]
        return JSONResponse(
            {"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": given}
        )

    async def keys(self, request: Request) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def out(self, request: Request) -> Response:
        return RedirectResponse(request.query_params["post_logout_redirect_uri"], 302)


def told_of(provider: OidcProvider, folder: Path, roles: Mapping[str, str]) -> dict[str, str]:
    """The settings of a door at which its people sign in; `roles`: by value of the claim `realm_access.roles`."""
    (folder / "oidc.secret").write_text(SECRET + "\n")
    (port,) = free_ports(1)
    pages = f"http://127.0.0.1:{port}"
    provider.back = f"{pages}/sign-in/provider/back"
    return {
        "WEB_STAFF_PORT": str(port),
        "WEB_OIDC_ISSUER": provider.issuer,
        "WEB_OIDC_CLIENT_ID": CLIENT,
        "WEB_OIDC_CLIENT_SECRET_FILE": str(folder / "oidc.secret"),
        "WEB_OIDC_ADDRESS": pages,
        "WEB_OIDC_ROLES": json.dumps(roles),
        "WEB_OIDC_ROLES_CLAIM": "realm_access.roles",
    }


@asynccontextmanager
async def open_provider() -> AsyncIterator[OidcProvider]:
    """The provider, on a free port of this machine."""
    mine = taken("127.0.0.1", 0)
    provider = OidcProvider(f"http://127.0.0.1:{mine.getsockname()[1]}")
    paths = {
        "/.well-known/openid-configuration": provider.describe,
        "/authorize": provider.authorize,
        "/keys": provider.keys,
        "/out": provider.out,
    }
    routes = [
        *(Route(path, handle) for path, handle in paths.items()),
        Route("/token", provider.token, methods=["POST"]),
    ]
    server = QuietServer(
        uvicorn.Config(Starlette(routes=routes), lifespan="off", log_config=None, timeout_graceful_shutdown=2)
    )
    serving = asyncio.ensure_future(server.serve(sockets=[mine]))
    try:
        yield provider
    finally:
        server.should_exit = True
        await serving
