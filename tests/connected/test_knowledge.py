"""Answers on the spot through the real door: what the base holds is taken, the rest goes to a unit (B2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from hotline.audit.verify import verify
from services.intake.knowledge import base
from services.intake.knowledge.file import articles
from shared.events import ComplaintAnsweredDirectly, IntakeRefused, RequestType
from shared.ids import ComplaintId
from tests.city import City

pytestmark = pytest.mark.connected


async def asks(town: City, request: str, version: int, article: str = "kb-0402") -> ComplaintId:
    return await town.record(
        request, request_type=RequestType.CONSULT, article_id=article, article_version=version
    )


async def test_an_answer_is_taken_by_the_base_as_it_is_by_then(
    city: Callable[..., Awaitable[City]],
) -> None:
    """B2: nothing checked while it is empty; then loaded, added to and withdrawn from while intake runs."""
    town = await city()
    await town.start("intake", extra={"INTAKE_KNOWLEDGE_SECONDS": "0"})
    editor = await asyncpg.connect(town.endpoints.login("editor"))
    try:
        unchecked = await asks(town, "before the base", 9, "of another system")
        fact = await town.until_fact(unchecked, ComplaintAnsweredDirectly)
        assert fact.fact.checked is not True

        await base.load(editor, articles().articles)
        held, old = await asks(town, "held", 2), await asks(town, "old", 1)
        fact = await town.until_fact(held, ComplaintAnsweredDirectly)
        assert fact.fact.checked is True
        refusal = await town.until_fact(old, IntakeRefused)
        assert "version 1 of article kb-0402 was withdrawn" in refusal.fact.reason

        made = await base.add(
            editor,
            "kb-0402",
            subject="综合",
            title="加装电梯",
            text="新的规定",
            valid_from=datetime.now(UTC) - timedelta(minutes=1),
            source="某条例",
        )
        newer = await asks(town, "newer", made.version)
        await town.until_fact(newer, ComplaintAnsweredDirectly)
        await base.withdraw(editor, "kb-0402", made.version, datetime.now(UTC), "有误")
        late = await asks(town, "late", made.version)
        await town.until_fact(late, IntakeRefused)
    finally:
        await editor.close()
    assert (await verify(town.endpoints.logins["reader"])).problems == []
