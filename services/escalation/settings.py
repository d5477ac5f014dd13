"""What escalation may be told from outside."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import CommonSettings


class Settings(CommonSettings):
    """Prefix ESCALATION_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="ESCALATION_")

    catalogue: str = ""
    """Path of the dispatch catalogue; empty: the example that ships with the project."""
    tick_ms: int = Field(default=200, ge=1)
    """How often the clock is looked at."""
    full_scan_seconds: float = Field(default=60.0, ge=0)
    """How often timers are looked for below the watermark, too: one set late into the past.
    A look that takes long is made rarer (`FULL_LOOK_SECONDS`)."""
