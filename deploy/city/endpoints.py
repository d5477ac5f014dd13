"""Where a city is reached: addresses, names, logins, and the processes that have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from deploy.city import kafka_rights
from shared import roles
from shared.runtime.errors import UserError

DESKS: Final = kafka_rights.DESKS
PROCESSES: Final = (*DESKS, "relay")
"""The processes by which a life goes on."""
PROJECTOR: Final = "projector"
"""The process that keeps the read side up; no desk waits for it, and it speaks to PostgreSQL alone."""
WEB: Final = "web"
"""The process that answers HTTP."""
STAFF: Final = "staff"
"""The login of the listener for staff, which reads contacts for units; on one machine `web` is both listeners."""
GRANTED: Final = {
    **{desk: ("hotline_desk", f"hotline_{desk}") for desk in DESKS},
    "relay": ("hotline_relay",),
    "projector": ("hotline_projector",),
    "web": ("hotline_web",),
    STAFF: ("hotline_web", "hotline_staff", "hotline_visitor"),
    "reader": ("hotline_reader",),
    "editor": ("hotline_editor",),
    "governor": ("hotline_governor",),
    "visitor": ("hotline_visitor",),
    "agent": ("hotline_agent",),
    "operator": ("hotline_reader", "hotline_operator"),
}
"""The logins of a city, and the roles each is a member of; what a role may do stands in the migrations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CityEndpoints:
    """Where a city lives: addresses, names and logins."""

    name: str
    kafka: str
    """With the admin's login: for making and judging a city, never for serving it."""
    owner_dsn: str
    """The schema's owner: for making, backing up and restoring a city, never for serving it or acting in it."""
    logins: Mapping[str, str] = field(default_factory=dict)
    """A DSN for each of `GRANTED`."""
    kafka_logins: Mapping[str, str] = field(default_factory=dict)
    """Kafka's address for each principal of `kafka_rights`, each with its own login; of `outside` in a laboratory."""
    reached: str = ""
    """Where systems on other machines reach Kafka: `host:port?ca=FILE`; empty: Kafka answers on this machine alone."""
    zipkin: str | None = None

    def login(self, name: str) -> str:
        """The DSN of one of `GRANTED`; `UserError` where the city has none yet, or its secret is not here."""
        try:
            return self.logins[name]
        except KeyError:
            raise UserError(
                f"City '{self.name}' has no login '{name}' here. An older release opened the city: `hotline down`, "
                f"then `hotline up`. Or a container lacks the secret postgres-{name}."
            ) from None

    @property
    def outside(self) -> str:
        """Kafka's address for who plays everybody in a laboratory: speaks at every door, hears what goes out."""
        return self.kafka_logins[kafka_rights.OUTSIDE]

    @property
    def looks(self) -> str:
        """Kafka's address for who only sees how far its topics go; of a city of an older release the admin's."""
        return self.kafka_logins.get(kafka_rights.OPERATOR, self.kafka)

    def commands_of(self, role: str) -> str:
        """Kafka's address for the commands that act for this role; `UserError` where there is none here."""
        try:
            return self.kafka_logins[kafka_rights.command_of(role)]
        except KeyError:
            raise UserError(
                f"City '{self.name}' has no login for commands of the role '{role}' here. An older release opened the "
                f"city: `hotline down`, then `hotline up`. Or a container lacks the secret "
                f"kafka-{kafka_rights.command_of(role)}."
            ) from None

    @property
    def speakers_of_web(self) -> dict[str, str]:
        """By role Kafka's address for the HTTP door where it speaks for that role."""
        speakers = (*kafka_rights.AT_DOORS, roles.CITIZENS)
        known = {role: self.kafka_logins.get(kafka_rights.web_of(role), "") for role in speakers}
        return {role: address for role, address in known.items() if address}

    @property
    def prefix(self) -> str:
        """The prefix of every topic's name."""
        return prefix_of(self.name)


def prefix_of(city: str) -> str:
    """The prefix of every topic's name in this city."""
    return "" if city == "hotline" else f"{city}."
