"""The settings of intake."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import CommonSettings
from shared.versions import CALENDAR, RULESET


class Settings(CommonSettings):
    """Prefix INTAKE_."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="INTAKE_")

    ruleset: str = RULESET
    """The rule set new complaints are born under; older ones keep theirs (T23)."""
    calendar: str = CALENDAR
    """The calendar version new complaints are pinned to."""
    contacts_public_key: str = ""
    """The public part of the contacts' master key, 32 bytes in Base64. Without it, or a file with it, numbers stay in
    citizens' texts."""
    contacts_public_key_file: str = ""
    """Path of a file that holds it; read at the start."""
    knowledge_seconds: float = Field(default=30, ge=0)
    """How old what intake knows of the knowledge base may be when an answer is checked by it; 0 looks each time.
    A version named that is not known is looked for at once, so this is how late a withdrawal may be heard of."""
