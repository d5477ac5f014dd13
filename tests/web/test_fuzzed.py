"""Every operation of the HTTP door, asked as its own contract says: with a key, without one, with a void one.

Schemathesis makes the requests of `docs/openapi.json`, the same ones each time, and holds the answers of the real
process to it. The tests are made of the table of routes: a new route is tried by itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from standardwebhooks import Webhook

from deploy.city.kafka_rights import Login
from hotline.web import keys
from hotline.web.documented_answers import EVENT_STREAM
from hotline.web.problems import ProblemKind
from hotline.web.roles import LISTENER_OF
from hotline.web.route_shapes import HttpRoute, TakenBody
from hotline.web.routes import ROUTES
from hotline.web.signing import ID, SIGNATURE, TIMESTAMP
from shared import roles
from shared.inputs import RecordRequest
from shared.log.acts import acting
from shared.structured import CONTENT_TYPE as STRUCTURED
from tests.city import UNIT
from tests.web.door import Door
from tests.web.test_http import event, new_id, recorded, request_body

pytestmark = pytest.mark.connected

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "openapi.json"
SEED: Final = 12345
COVERED_MAX: Final = 20
"""Valid cases of an operation that reach the corners of its schemas, and as many invalid ones: evenly out of all."""
DRAWN: Final = 5
"""Valid cases of an operation that are drawn beside them, and as many invalid ones."""
STRANGE_MAX: Final = 4
"""Cases of an operation without a key, and with a void one: of these the door reads little before the key."""
STRANGE_OF: Final = 100
"""Cases out of which these are taken."""
SECONDS_MAX: Final = 60
"""How long an answer may take; an act waits for its outcome."""
SILENT_SECONDS_MAX: Final = 2
"""How long a stream that is open is read where nothing comes. Its first event ends the reading in any case."""
REJECTED: Final = (400, 401, 403, 404, 405, 413, 415, 429)
"""The statuses of what the door does not take. 409 and 422 are none: a desk has read that message."""
DOOR_SAYS: Final = {ProblemKind.NO_KEY, ProblemKind.BAD_EVENT, ProblemKind.NOT_FOUND, ProblemKind.WRONG_TYPE}
"""The problems of somebody without a key: GeoReport reads the path and the form before the key."""


def checks() -> list[Any]:
    """The checks that every answer must pass.

    Left out: `positive_data_acceptance`, for a desk refuses what fits a schema and not the complaint; `use_after_free`,
    `ensure_resource_availability`, for nothing is ever deleted here; `object_level_authorization`, which
    `test_matrix.py` holds for every route and role. `ignored_auth` looks at accepted requests alone and sends them
    again without a key: the two tests below look at all, without a key and with a void one.
    """
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as every

    return [
        not_a_server_error,
        every.status_code_conformance,
        every.content_type_conformance,
        every.response_schema_conformance,
        every.response_headers_conformance,
        every.negative_data_rejection,
        every.missing_required_header,
        every.unsupported_method,
        every.allow_header_conformance,
    ]


class From(HTTPAdapter):
    """Asks from this address of the loopback."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, source_address=(self.address, 0), **more)


class Signed(AuthBase):
    """Signs what is sent, as a system that knows this secret of a key does."""

    def __init__(self, secret: str) -> None:
        self.secret = Webhook(secret)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = (
            request.body.decode(errors="replace") if isinstance(request.body, bytes) else request.body or ""
        )
        now = int(time.time())
        request.headers[ID], request.headers[TIMESTAMP] = "m-1", str(now)
        request.headers[SIGNATURE] = self.secret.sign("m-1", datetime.fromtimestamp(now, UTC), body)
        return request


class Fuzz:
    """The operations of the contract, what is real in this city, and who asks."""

    def __init__(
        self, door: Door, real: dict[str, str], valid: dict[str, str], void: dict[str, str], secret: str
    ) -> None:
        """`real`: by the name of a parameter; `valid` and `void`: keys by role; `secret`: of the key in `real`."""
        import schemathesis

        told = {
            "seed": SEED,
            "max-stream-events": 1,
            "checks": {"negative_data_rejection": {"expected-statuses": [str(one) for one in REJECTED]}},
        }
        document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
        config = schemathesis.Config.from_dict(told)
        self.schema = schemathesis.openapi.from_dict(document, config=config)
        self.door = door
        self.real = real
        self.valid = valid
        self.void = void
        self.secret = secret
        self.source = keys.usual_source(Login(roles.AGENTS, ""))
        self.checks = checks()

    def operation(self, route: HttpRoute) -> Any:
        return self.schema[route.path][route.method]

    def covered(self, route: HttpRoute) -> Iterable[Any]:
        """The cases that reach the corners of the operation's schemas, valid and invalid ones; no chance is in them."""
        from schemathesis.generation.drivers import CoverageGenerator
        from schemathesis.generation.feedback import NO_FEEDBACK
        from schemathesis.generation.modes import GenerationMode
        from schemathesis.generation.overrides import Override

        operation = self.operation(route)
        return CoverageGenerator(
            operation=operation,
            generation_modes=list(GenerationMode),
            generation_config=self.schema.config.generation_for(operation=operation, phase="coverage"),
            auth_storage=None,
            override=Override(query={}, headers={}, cookies={}, path_parameters={}),
            feedback=NO_FEEDBACK,
        )

    def drawn(self, route: HttpRoute, tried: Callable[[Any], None]) -> None:
        """Try cases that are drawn, the same ones each time."""
        from schemathesis.generation.modes import GenerationMode

        how = settings(
            database=None,
            max_examples=DRAWN,
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        for mode in GenerationMode:
            cases = self.operation(route).as_strategy(generation_mode=mode)
            seed(SEED)(how(given(cases)(tried)))()  # `derandomize` would draw others after an edit of `tried`

    def ask(self, route: HttpRoute, case: Any, session: requests.Session, typed: str) -> Any:
        """Send a case with this key, and hold the answer to the contract."""
        base = f"http://{self.door.addresses[LISTENER_OF[role_of(route)]]}"
        headers = {"Authorization": f"Bearer {typed}"} if typed else {}
        answer = case.call(base_url=base, session=session, headers=headers, timeout=SECONDS_MAX)
        case.validate_response(answer, checks=self.checks, headers=headers)
        return answer

    def made_real(self, case: Any) -> None:
        """Put what there is in place of names that were made up, where a path and a body are as they must be."""
        from schemathesis.core.parameters import ParameterLocation

        if not case.meta.is_negative_at(ParameterLocation.PATH):
            case.path_parameters.update({n: self.real[n] for n in case.path_parameters if n in self.real})
        if case.meta.generation.mode.is_positive and isinstance(case.body, dict):
            case.body.update({n: self.real[n] for n in case.body if n in self.real})


@pytest.fixture(scope="module")
async def fuzz(door: Door) -> Fuzz:
    valid, void = {}, {}
    for role in LISTENER_OF:
        name = UNIT if role == roles.UNIT else ""
        valid[role] = await door.key(role, name, rate=10_000)
        void[role] = await door.key(role, name)
    told = await recorded(await door.of(roles.AGENTS))
    signer = valid[roles.AGENTS].partition(".")[0]
    real = {
        "complaint": told["complaint_id"],
        "complaint_id": told["complaint_id"],
        "service_request_id": told["complaint_number"],
        "unit": UNIT,
        "key": signer,
    }
    async with acting(door.town.endpoints.login("operator")) as operator:
        for typed in void.values():
            await keys.revoke(operator, typed.partition(".")[0])
        secret = await keys.add_secret(operator, signer)
    return Fuzz(door, real, valid, void, secret.typed)


def role_of(route: HttpRoute) -> str:
    """The role whose key asks: one of several will do, for `test_matrix.py` tries each."""
    return roles.AGENTS if roles.AGENTS in route.roles else route.roles[0]


def evenly(found: Iterable[Any], most: int) -> list[Any]:
    """At most so many of them, over their whole length."""
    known = list(found)
    return known[:: max(1, -(-len(known) // most))]


def session_of(address: str = "127.0.0.1") -> requests.Session:
    """Asks from this address, and by the headers of a case alone."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", From(address))
    session.hooks["response"].append(soon_left)
    return session


def soon_left(answer: requests.Response, **_: Any) -> None:
    """Wait no longer on a stream, now that its head is here: a stream may last for minutes and say nothing."""
    if answer.headers.get("content-type", "").startswith(EVENT_STREAM):
        answer.raw.connection.sock.settimeout(SILENT_SECONDS_MAX)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_the_answers_to_a_key_are_those_of_the_contract(fuzz: Fuzz, route: HttpRoute) -> None:
    from schemathesis.core.parameters import ParameterLocation

    signed = Signed(fuzz.secret)
    with session_of() as session:

        def tried(case: Any) -> None:
            fuzz.made_real(case)
            if route.signed:
                session.auth = None if case.meta.is_negative_at(ParameterLocation.HEADER) else signed
            fuzz.ask(route, case, session, "" if route.signed else fuzz.valid[role_of(route)])

        covered = list(fuzz.covered(route))
        for positive in (True, False):
            part = [one for one in covered if one.meta.generation.mode.is_positive is positive]
            for case in evenly(part, COVERED_MAX):
                tried(case)
        fuzz.drawn(route, tried)
        if route.takes is TakenBody.EVENTS:  # chance finds no source of the key and no time of the present
            fitting = (one for one in covered if one.meta.generation.mode.is_positive)
            told = next(one for one in fitting if one.media_type == STRUCTURED)
            told.body = event(RecordRequest, fuzz.source, request_body(new_id()))
            session.auth = signed if route.signed else None
            typed = "" if route.signed else fuzz.valid[role_of(route)]
            assert fuzz.ask(route, told, session, typed).status_code == 202


# Each operation asks from an address of its own: so many strangers of one address are answered 429.
@pytest.mark.parametrize("has", ["no", "a void"])
@pytest.mark.parametrize(("at", "route"), [*enumerate(ROUTES, 2)], ids=lambda one: getattr(one, "name", ""))
def test_without_a_key_nothing_is_done(fuzz: Fuzz, at: int, route: HttpRoute, has: str) -> None:
    typed = fuzz.void[role_of(route)] if has == "a void" else ""
    with session_of(f"127.0.0.{at}") as session:
        for case in evenly(islice(fuzz.covered(route), STRANGE_OF), STRANGE_MAX):
            answer = fuzz.ask(route, case, session, typed)
            if not (route.keyless and not typed):
                assert answer.status_code in {route.status_of(one) for one in DOOR_SAYS} | {405}, case


def test_the_door_has_answered_whatever_came(door: Door, fuzz: Fuzz) -> None:
    lines = [json.loads(line) for line in door.log.read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if line["level"] in {"error", "critical"} or "exception" in line] == []
