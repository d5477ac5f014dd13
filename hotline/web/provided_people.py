"""The roles of a person as claims of an identity provider name them (decision 0074). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from deploy.city.kafka_rights import Login
from hotline.web.roles import SIGNING_IN
from shared import roles

NAME_MAX: Final = 64
"""Characters of a name that pages show; the rest is left out."""
ACCOUNT_MAX: Final = 255
"""Characters of the provider's own name for a person: OpenID Connect allows no more."""
LOGINS_MAX: Final = 16
"""Roles of one person. A claim that gives more is a mistake, and nobody chooses among them."""


class ClaimNames(NamedTuple):
    """The claims of an ID token that tell of a person. A dot leads into a claim: `realm_access.roles`."""

    roles: str = "roles"
    unit: str = "unit"
    name: str = "name"


class ProvidedPerson(NamedTuple):
    """A person as the provider tells of him."""

    account: str
    """The provider's name for the person, for ever: the claim `sub`."""
    name: str
    logins: tuple[Login, ...]
    """The roles the claims give, each once, in the order of the claim."""


def person_of(
    claims: Mapping[str, Any],
    names: ClaimNames,
    given: Mapping[str, str],
    is_unit: Callable[[str], bool],
) -> ProvidedPerson:
    """The person of these claims. `given`: by value of the claim of roles ROLE, or unit:ID of one unit.

    The role `unit` without an id is of the units that the claim of units names. A unit that is not in the catalogue
    gives nothing, and neither does a value that is not mapped. `ValueError` where the account is none.
    """
    account = claims.get("sub")
    if not isinstance(account, str) or not 0 < len(account) <= ACCOUNT_MAX or not account.isprintable():
        raise ValueError("sub")
    units = tuple(_texts(claims, names.unit))
    logins: dict[Login, None] = {}
    for value in _texts(claims, names.roles):
        for login in _logins(given.get(value, ""), units):
            if not login.name or is_unit(login.name):
                logins[login] = None
    if len(logins) > LOGINS_MAX:
        raise ValueError(names.roles)
    return ProvidedPerson(account, _name(claims, names.name) or account[:NAME_MAX], tuple(logins))


def mapped(role: str) -> tuple[str, str]:
    """A mapped role, and its unit; of `unit` alone none. `ValueError` where people have no such role."""
    known, _, unit = role.partition(":")
    if known not in SIGNING_IN or (":" in role and (known != roles.UNIT or not unit)):
        raise ValueError(f"{role!r}, expected one of {', '.join(SIGNING_IN)}, or unit:ID")
    return known, unit


def _logins(role: str, units: tuple[str, ...]) -> Iterator[Login]:
    if not role:
        return
    known, unit = mapped(role)
    if known == roles.UNIT:
        yield from (Login(known, one) for one in ((unit,) if unit else units))
    else:
        yield Login(known)


def _name(claims: Mapping[str, Any], name: str) -> str:
    told = "".join(char for char in next(iter(_texts(claims, name)), "") if char.isprintable())
    return " ".join(told.split())[:NAME_MAX]


def _texts(claims: Mapping[str, Any], name: str) -> Iterator[str]:
    """The texts of a claim: one text, or each of a list. Other kinds of value say nothing."""
    value = _claim(claims, name)
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str) and one:
            yield one


def _claim(claims: Any, name: str) -> Any:
    """A claim by its whole name; else the way its dots lead."""
    if not isinstance(claims, Mapping):
        return None
    if name in claims:
        return claims[name]
    first, dot, rest = name.partition(".")
    return _claim(claims.get(first), rest) if dot else None
