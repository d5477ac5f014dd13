"""Options that belong together are one parameter of a command: a dataclass with a field an option."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """The same command for typer: each dataclass among its parameters is taken apart into options."""
    told = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: one.annotation for name, one in told.parameters.items() if is_dataclass(one.annotation)
    }
    options = [
        option
        for name, one in told.parameters.items()
        for option in (_options(groups[name]) if name in groups else [one])
    ]

    @wraps(command)
    def whole(**words: Any) -> None:
        made = {
            name: group(**{field.name: words.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        command(**made, **words)

    whole.__signature__ = told.replace(  # type: ignore[attr-defined]
        parameters=[one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in options]
    )
    whole.__annotations__ = {one.name: one.annotation for one in options}
    return whole


def _options(group: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        yield inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[field.name]
        )
