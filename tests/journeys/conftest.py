"""Every journey begins in an empty hotline and leaves a log in which everything that must hold does."""

from collections.abc import Iterator

import pytest

from tests.story import Story


@pytest.fixture
def story() -> Iterator[Story]:
    begun = Story()
    yield begun
    begun.holds()
