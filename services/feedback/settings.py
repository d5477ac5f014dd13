"""The settings of feedback."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import CommonSettings


class Settings(CommonSettings):
    """Prefix FEEDBACK_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="FEEDBACK_")

    catalogue: str = ""
    """Path of the dispatch catalogue, for the units' names; empty: the example that ships with the project."""
