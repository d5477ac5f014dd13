"""The page about the migrations says where each object stands now."""

from __future__ import annotations

import pytest

from deploy.embedded.stack import Addresses
from tests.migration_table import PAGE, on_empty

pytestmark = pytest.mark.connected


async def test_the_page_of_the_migrations_is_what_they_leave_behind(stack: Addresses) -> None:
    """`python -m tests.migration_table` writes it."""
    assert PAGE.read_text(encoding="utf-8") == await on_empty(stack)
