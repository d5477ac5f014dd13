"""A second port of Kafka for systems on other machines, by settings; without them Kafka answers on loopback alone."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.embedded.errors import StackError
from deploy.embedded.kafka import Listener

PREFIX: Final = "HOTLINE_KAFKA_"
NAME: Final = "SPEAKERS"
PORT_MAX: Final = 65_535


class Settings(BaseSettings):
    """Prefix HOTLINE_KAFKA_; read whenever Kafka starts."""

    model_config = SettingsConfigDict(frozen=True, env_prefix=PREFIX)

    listen: str = ""
    """The address and port that systems on other machines connect to, `0.0.0.0:9093`; empty: there is none."""
    advertised: str = ""
    """The name or address and the port by which they reach it; empty: the same."""
    certificate: Path | None = None
    """A PEM file with the server's private key (PKCS#8) and its certificate, which names the host advertised."""
    authority: Path | None = None
    """A PEM file with the certificate of the authority that clients are to believe."""


def listeners(told: Settings | None = None) -> list[Listener]:
    """The listener these settings ask for, none by default; `StackError` in a sentence where they cannot be."""
    settings = told or Settings()
    if not settings.listen:
        return []
    host, port = _address("LISTEN", settings.listen)
    name, advertised = _address("ADVERTISED", settings.advertised) if settings.advertised else (host, port)
    if name in {"0.0.0.0", "::"}:  # noqa: S104 -- refused
        raise StackError(
            f"{PREFIX}ADVERTISED: expected the HOST:PORT by which clients reach {settings.listen}."
        )
    for setting, file in (("CERTIFICATE", settings.certificate), ("AUTHORITY", settings.authority)):
        if file is None:
            raise StackError(
                f"{PREFIX}{setting}: expected a PEM file, for nothing goes over a network that is not encrypted."
            )
        if not file.is_file():
            raise StackError(f"{PREFIX}{setting}: there is no file {file}.")
    assert settings.certificate is not None  # noqa: S101 -- refused above
    return [Listener(NAME, port, advertised, settings.certificate.absolute(), host, name)]


def reached(folder: Path, told: Settings | None = None) -> str:
    """Kafka's address for systems on other machines, `host:port?ca=FILE`; empty where there is none.

    `StackError` where the Kafka of this folder was started without it.
    """
    settings = told or Settings()
    if not listeners(settings):
        return ""
    if f",{NAME}://" not in (folder / "server.properties").read_text(encoding="utf-8"):
        raise StackError(
            f"Kafka was started without the port that {PREFIX}LISTEN asks for: `hotline down`, then `hotline up`."
        )
    assert settings.authority is not None  # noqa: S101 -- refused above
    return f"{settings.advertised or settings.listen}?ca={quote(str(settings.authority.absolute()))}"


def _address(setting: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= PORT_MAX:
        raise StackError(f"{PREFIX}{setting}: '{text}', expected HOST:PORT, such as 0.0.0.0:9093.")
    return host.strip("[]"), int(port)
