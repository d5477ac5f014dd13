"""The language and the theme of a page, as the reader chose them: cookies that the server reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar


class Language(StrEnum):
    """The languages of the pages, by the tag that HTML has for them."""

    CHINESE = "zh-CN"
    ENGLISH = "en"


class Theme(StrEnum):
    """Light and dark; without a choice the reader's system says which."""

    SYSTEM = "light dark"
    LIGHT = "light"
    DARK = "dark"


_Choice = TypeVar("_Choice", Language, Theme)

LANGUAGE_COOKIE: Final = "hotline-language"
THEME_COOKIE: Final = "hotline-theme"
LOOK_SECONDS: Final = 365 * 86_400
"""How long a browser remembers the choice."""


class PageLook(NamedTuple):
    """See the module."""

    language: Language = Language.CHINESE
    theme: Theme = Theme.SYSTEM


def look_of(cookies: Mapping[str, str], accepted: str = "") -> PageLook:
    """The look that was chosen; else the first of our languages that the browser names, and Chinese before all."""
    return PageLook(
        _one_of(Language, cookies.get(LANGUAGE_COOKIE, "")) or _first_of(accepted),
        _one_of(Theme, cookies.get(THEME_COOKIE, "")) or Theme.SYSTEM,
    )


def _first_of(accepted: str) -> Language:
    for part in accepted.split(","):
        tag = part.partition(";")[0].strip().lower()
        if tag.startswith("zh"):
            return Language.CHINESE
        if tag.startswith("en"):
            return Language.ENGLISH
    return Language.CHINESE


def _one_of(kind: type[_Choice], text: str) -> _Choice | None:
    return next((one for one in kind if one.value == text), None)
