"""The settings of the HTTP door."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from hotline.web.identity_provider import ProviderSettings, is_safe
from hotline.web.provided_people import ClaimNames, mapped
from hotline.web.roles import LISTENER_OF
from shared import roles
from shared.runtime import kafka_address
from shared.runtime.clock import INPUT_AGE_DAYS_MAX
from shared.runtime.settings import ProcessSettings, read_secret
from shared.text_file import bytes_of, text_in
from shared.versions import CALENDAR, RULESET

EXPECTED: Final = "the secret of an OpenID Connect client in UTF-8"


class Settings(ProcessSettings):
    """Prefix WEB_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="WEB_")

    speakers: dict[str, str]
    """By role the address of Kafka with the login that speaks for it, as JSON. A key of another role is refused.

    `citizens` is the login for what citizens answer on their page when they are asked."""
    speakers_password_files: dict[str, str] = Field(default_factory=dict)
    """By role the path of a file that holds the password; the address then names the user alone."""
    topic_prefix: str = ""
    """Put before every topic's name; lets several cities share one Kafka."""
    ruleset: str = RULESET
    """The rule set new complaints are born under: a request is checked by it before it is sent."""
    calendar: str = CALENDAR
    """The calendar new complaints are pinned to."""
    catalogue: str = ""
    """Path of the dispatch catalogue; empty: the example that ships with the project."""
    map: str = ""
    """Path of the map of the city's districts as TOML, with its outlines beside it; empty: the example."""
    inhabitants: str = ""
    """Path of the inhabitants as TOML; empty: the example."""
    traces_ratio: float = Field(default=0.01, ge=0, le=1)
    """The share of lives that the services trace."""
    viewer: str = ""
    """The address of a Zipkin that people can reach, for links to traces; empty: pages have none."""
    observed_targets: str = ""
    """The list of targets that Prometheus reads (`file_sd_configs`): a file, or a folder of them; the operations page
    reads the metrics of these processes. Empty: of none."""
    input_age_days_max: int = Field(default=INPUT_AGE_DAYS_MAX, ge=1, le=36_525)
    """How many days ago what an input tells of may have happened."""
    public_address: str = "127.0.0.1"
    """The address of the listener for systems of citizens and callers."""
    public_port: int = Field(default=0, ge=-1, le=65_535)
    """Its port; 0 takes a free one, -1 does not open it."""
    staff_address: str = "127.0.0.1"
    """The address of the listener for those who act on complaints."""
    staff_port: int = Field(default=0, ge=-1, le=65_535)
    """Its port; 0 takes a free one, -1 does not open it."""
    contacts_key: SecretStr = SecretStr("")
    """The master key of the contacts, 32 bytes in Base64: of the listener for staff. Without it, or its file, no unit
    reads a contact here."""
    contacts_key_file: str = ""
    """Path of a file that holds it; read at each reading, so a key put back is used at once."""
    callers_key: SecretStr = SecretStr("")
    """The key of callers, 32 bytes in Base64: of the listener for staff. Without it, or its file, no complaint that a
    page records is found by its caller's number."""
    callers_key_file: str = ""
    """Path of a file that holds it; read each time, so a key put back is used at once."""
    contacts_postgres: str = ""
    """DSN of the login that reads contacts for units; empty: the process's own."""
    contacts_public_key: str = ""
    """The public part of the contacts' master key, 32 bytes in Base64; without it, or its file, none is sealed."""
    contacts_public_key_file: str = ""
    """Path of a file that holds it; read at each contact, so a key put back is used at once."""
    proxies: str = ""
    """The addresses of proxies whose `X-Forwarded-For` is believed, with commas between; empty: nobody's is."""

    oidc_issuer: str = ""
    """The city's identity provider by its OpenID Connect issuer, https://…: people sign in there. Empty: by links
    alone."""
    oidc_client_id: str = ""
    """The hotline's name at the provider."""
    oidc_client_secret_file: str = ""
    """Path of a file that holds the client's secret; read at each sign-in. An empty file or none: the client has no
    secret, and PKCE alone proves it."""
    oidc_address: str = ""
    """The address of the pages as people reach them, scheme and host. The provider sends people back to
    `/sign-in/provider/back` there."""
    oidc_scope: str = "openid profile"
    """The scopes that are asked for."""
    oidc_roles: dict[str, str] = Field(default_factory=dict)
    """By value of the claim of roles what it gives, as JSON: a role, or `unit:ID` of one unit. `unit` alone is of the
    units that the claim of units names."""
    oidc_roles_claim: str = "roles"
    """The claim of the ID token that holds a person's roles; a dot leads into a claim."""
    oidc_unit_claim: str = "unit"
    """The claim that holds the ids of a person's units."""
    oidc_name_claim: str = "name"
    """The claim that holds the name which pages show."""
    oidc_ca_file: str = ""
    """Path of the certificates that sign the provider's; empty: those of the system."""

    @property
    def provider(self) -> ProviderSettings | None:
        """The identity provider; None where there is none."""
        if not self.oidc_issuer:
            return None
        file = self.oidc_client_secret_file
        return ProviderSettings(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            secret=lambda: _content(file),
            address=self.oidc_address.rstrip("/"),
            scope=self.oidc_scope,
            ca_file=self.oidc_ca_file,
            roles=self.oidc_roles,
            claims=ClaimNames(self.oidc_roles_claim, self.oidc_unit_claim, self.oidc_name_claim),
        )

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        """Refuse a provider with which nobody could sign in, or whose tokens others could read on the way."""
        if not self.oidc_issuer:
            return self
        for name in ("oidc_client_id", "oidc_address", "oidc_roles"):
            if not getattr(self, name):
                raise ValueError(f"{name}: expected one, as oidc_issuer is told")
        for name in ("oidc_issuer", "oidc_address"):
            if not is_safe(getattr(self, name)):
                raise ValueError(f"{name}: expected https://HOST, or http on this machine")
        if urlsplit(self.oidc_address).path.rstrip("/"):
            raise ValueError("oidc_address: expected scheme and host alone")
        for value, role in self.oidc_roles.items():
            try:
                mapped(role)
            except ValueError as error:
                raise ValueError(f"oidc_roles: {value}: {error}") from None
        if "openid" not in self.oidc_scope.split():
            raise ValueError("oidc_scope: expected openid among them")
        return self

    @model_validator(mode="before")
    @classmethod
    def _with_passwords(cls, told: Any) -> Any:
        """Put the passwords that lie in files into the addresses."""
        if not isinstance(told, dict) or not told.get("speakers_password_files"):
            return told
        files: dict[str, str] = told["speakers_password_files"]
        speakers = dict(told.get("speakers") or {})
        for role, file in files.items():
            if role in speakers:
                speakers[role] = kafka_address.with_password(speakers[role], read_secret(file))
        return {**told, "speakers": speakers}

    @model_validator(mode="after")
    def _opens_nothing_in_public(self) -> Self:
        """Refuse a process that serves the public alone and could open contacts."""
        told = {
            "contacts_key": self.contacts_key.get_secret_value() or self.contacts_key_file,
            "callers_key": self.callers_key.get_secret_value() or self.callers_key_file,
        }
        for name in (name for name, key in told.items() if key and self.staff_port < 0):
            message = (
                f"{name}: expected none where staff_port is -1: the public listener opens no contact, "
                f"and looks for no caller"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _known_roles(self) -> Self:
        """Refuse roles that nobody speaks as."""
        known = (*LISTENER_OF, roles.CITIZENS)
        if unknown := self.speakers.keys() - set(known):
            message = f"speakers: {', '.join(sorted(unknown))}, expected some of {', '.join(known)}"
            raise ValueError(message)
        return self


def _content(file: str) -> str:
    """The secret in a file; empty where there is no such file, or nothing in it."""
    if not file or not Path(file).exists():
        return ""
    raw = bytes_of(file, EXPECTED)
    return text_in(raw, file, EXPECTED).strip() if raw.strip() else ""
