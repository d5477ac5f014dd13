"""Which inputs the people of a rehearsed city say."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

import typer


class Mix(StrEnum):
    """Which inputs the people of the rehearsed city say."""

    FULL = "full"
    """Every input there is, at the rates of `simulation/behaviour.py`."""
    PLAIN = "plain"
    """Those of before: what is compared with what was measured and recorded then."""


MixOption: TypeAlias = Annotated[
    Mix, typer.Option(help="full: the people say every input there is; plain: those of before, to compare.")
]
