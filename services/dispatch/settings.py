"""The settings of dispatch."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import CommonSettings


class Settings(CommonSettings):
    """Prefix DISPATCH_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="DISPATCH_")

    catalogue: str = ""
    """Path of the dispatch catalogue; empty: the example that ships with the project."""
