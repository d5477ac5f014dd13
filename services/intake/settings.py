"""What intake may be told from outside."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from shared.settings import CommonSettings


class Settings(CommonSettings):
    """Prefix INTAKE_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="INTAKE_")

    ruleset: str = "beijing-draft-2021"
    """The rule set new complaints are born under; older ones keep theirs (T23)."""
    calendar: str = "cn-1"
    """The calendar version new complaints are pinned to."""
