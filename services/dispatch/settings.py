"""The settings of dispatch."""

from __future__ import annotations

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import CommonSettings


class Settings(CommonSettings):
    """Prefix DISPATCH_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="DISPATCH_")

    catalogue: str = ""
    """Path of the dispatch catalogue; empty: the example that ships with the project."""
    contacts_key: SecretStr = SecretStr("")
    """The master key of the contacts, 32 bytes in Base64. Without it, or a file with it, nobody reads one here."""
    contacts_key_file: str = ""
    """Path of a file that holds it; read at each reading, so a key put back is used at once."""
