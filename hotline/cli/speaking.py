"""The common part of commands that say something about a complaint: which one, and that a number in a text is meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Final, ParamSpec, TypeVar

import typer

P = ParamSpec("P")
R = TypeVar("R")

WITH_NUMBER: Final = "with_number"
STOPPED: Final = (
    "You stopped waiting: what was sent is not taken back. `hotline show COMPLAINT` tells what came of it."
)
"""For whoever presses Ctrl-C."""

ComplaintNamed = Annotated[
    str, typer.Argument(metavar="COMPLAINT", help="Its number, its id or the beginning of it.")
]

_Meant = Annotated[
    bool,
    typer.Option(
        "--with-number",
        help="Record a phone or identity number in a text; a citizen's own belongs into `hotline contact put`.",
    ),
]


def speaks(command: Callable[P, R]) -> Callable[P, R]:
    """The same command with `--with-number`: `hotline.client` looks at what it sends (R9)."""

    @wraps(command)
    def spoken(*args: P.args, **words: P.kwargs) -> R:
        from hotline.client import NUMBERS_MEANT

        NUMBERS_MEANT.set(bool(words.pop(WITH_NUMBER, False)))
        return command(*args, **words)

    told = inspect.signature(command, eval_str=True)
    meant = inspect.Parameter(WITH_NUMBER, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_Meant)
    spoken.__signature__ = told.replace(parameters=[*told.parameters.values(), meant])  # type: ignore[attr-defined]
    spoken.__annotations__ = {**command.__annotations__, WITH_NUMBER: _Meant}
    return spoken
