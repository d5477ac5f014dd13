"""The claims of an identity provider, and the roles they give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deploy.city.kafka_rights import Login
from hotline.web.provided_people import LOGINS_MAX, NAME_MAX, ClaimNames, person_of
from hotline.web.settings import Settings

GIVEN = {"a": "agents", "u": "unit", "one": "unit:street-1", "r": "reviewers"}
WHOLE = {
    "postgres": "postgresql://u@h/d",
    "speakers": {},
    "oidc_issuer": "https://id.example",
    "oidc_client_id": "hotline",
    "oidc_address": "https://staff.example",
    "oidc_roles": GIVEN,
}


USUAL = ClaimNames()


def logins(names: ClaimNames = USUAL, **claims: Any) -> tuple[Login, ...]:
    person = person_of({"sub": "x", **claims}, names, GIVEN, lambda unit: unit.startswith("street-"))
    return person.logins


def test_each_value_of_the_claim_gives_its_role_once() -> None:
    assert logins(roles=["a", "a", "r", "unknown", 7, None]) == (Login("agents"), Login("reviewers"))
    assert logins(roles="a") == (Login("agents"),)
    assert logins(roles={"a": True}) == logins(roles=7) == logins() == ()


def test_a_unit_comes_from_the_mapping_or_from_its_claim_and_must_be_known() -> None:
    assert logins(roles=["one"]) == (Login("unit", "street-1"),)
    assert logins(roles=["u"], unit=["street-2", "street-3", "other"]) == (
        Login("unit", "street-2"),
        Login("unit", "street-3"),
    )
    assert logins(roles=["u"]) == ()


def test_a_dot_leads_into_a_claim_and_a_whole_name_comes_first() -> None:
    names = ClaimNames(roles="realm_access.roles")
    assert logins(names, realm_access={"roles": ["a"]}) == (Login("agents"),)
    assert logins(names, **{"realm_access.roles": "r", "realm_access": {"roles": ["a"]}}) == (
        Login("reviewers"),
    )
    assert logins(names, realm_access=["a"]) == ()


def test_a_name_is_one_line_of_bounded_length_and_the_account_where_there_is_none() -> None:
    def name(**claims: Any) -> str:
        return person_of({"sub": "x-1", **claims}, ClaimNames(), GIVEN, lambda _: True).name

    assert name(name=" 王\n 芳\u202e ") == "王 芳"
    assert len(name(name="长" * 999)) == NAME_MAX
    assert name() == name(name="") == name(name=7) == "x-1"


@pytest.mark.parametrize("sub", [None, "", 7, "x" * 256, "a\nb"])
def test_an_account_that_is_none_is_refused(sub: object) -> None:
    with pytest.raises(ValueError, match="sub"):
        person_of({"sub": sub, "roles": ["a"]}, ClaimNames(), GIVEN, lambda _: True)


def test_a_claim_of_more_roles_than_a_person_has_is_refused() -> None:
    with pytest.raises(ValueError, match="roles"):
        logins(roles=["u"], unit=[f"street-{number}" for number in range(LOGINS_MAX + 1)])


def test_without_an_issuer_there_is_no_provider() -> None:
    assert Settings(**{**WHOLE, "oidc_issuer": ""}).provider is None


def test_the_clients_secret_is_read_at_each_sign_in(tmp_path: Path) -> None:
    file = tmp_path / "oidc.secret"
    told = Settings(**WHOLE, oidc_client_secret_file=str(file)).provider
    assert told is not None
    for secret in ("one", "two", ""):
        file.write_text(secret + "\n")
        assert told.secret() == secret


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("oidc_client_id", ""),
        ("oidc_address", ""),
        ("oidc_address", "https://staff.example/pages"),
        ("oidc_address", "http://staff.example"),
        ("oidc_issuer", "http://id.example"),
        ("oidc_issuer", "id.example"),
        ("oidc_roles", {}),
        ("oidc_roles", {"x": "telephony"}),
        ("oidc_roles", {"x": "agents:1"}),
        ("oidc_roles", {"x": "unit:"}),
        ("oidc_scope", "profile"),
    ],
)
def test_a_provider_with_which_nobody_could_sign_in_safely_is_refused_at_the_start(
    name: str, value: object
) -> None:
    assert Settings(**WHOLE).provider is not None
    with pytest.raises(ValidationError, match=name):
        Settings(**{**WHOLE, name: value})
