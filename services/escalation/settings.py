"""The settings of escalation."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.patience import TICK_SECONDS
from shared.runtime.settings import CommonSettings


class Settings(CommonSettings):
    """Prefix ESCALATION_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="ESCALATION_")

    catalogue: str = ""
    """Path of the dispatch catalogue; empty: the example that ships with the project."""
    tick_ms: int = Field(default=round(TICK_SECONDS * 1000), ge=1)
    """How often the clock is looked at."""
