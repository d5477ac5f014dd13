"""The part of the knowledge base that intake needs to take an answer from it (B2). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Final, NamedTuple

from shared.times import shown


class Valid(NamedTuple):
    """From when to when an agent may answer from one version of an article; city time, the end not included."""

    since: datetime
    until: datetime | None = None
    """When it was withdrawn; None where it was not."""


Articles = Mapping[tuple[str, int], Valid]
"""Every version there is, by its article's id and its number."""

NO_BASE: Final[Articles] = MappingProxyType({})
"""An installation that keeps none here: nothing is checked."""


def unusable(article_id: str, version: int, at: datetime, known: Articles, zone: tzinfo) -> str | None:
    """Why nobody can have answered from this version at that instant; None where he can, or there is no base.

    `zone`: the one in which the refusal states a time.
    """
    if not known:
        return None
    valid = known.get((article_id, version))
    if valid is None:
        return f"the knowledge base has no version {version} of article {article_id}"
    if at < valid.since:
        return f"version {version} of article {article_id} holds only from {shown(valid.since, zone, seconds=True)}"
    if valid.until is not None and valid.until <= at:
        return f"version {version} of article {article_id} was withdrawn at {shown(valid.until, zone, seconds=True)}"
    return None
