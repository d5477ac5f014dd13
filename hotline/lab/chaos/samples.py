"""A valid input of any kind, made from its type: one that a door would take in, but for what is changed in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect

from shared.inputs import Input

COMPLAINT: Final = "00000000-0000-8000-8000-000000000000"
"""A complaint that nobody recorded."""
WORD: Final = "chaos"


def sample(kind: type[Input], fields: Mapping[str, Any] | None = None) -> bytes:
    """Its required fields as JSON, and these beside them or instead of them."""
    told = inspect.type_info(kind)
    assert isinstance(told, inspect.StructType)  # noqa: S101 -- every input is one
    made = {field.name: _value(field.type) for field in told.fields if field.required}
    return msgspec.json.encode({**made, **(fields or {})})


def _value(kind: inspect.Type) -> Any:
    match kind:
        case inspect.Metadata():
            return _value(kind.type)
        case inspect.StrType():
            return COMPLAINT if kind.pattern else WORD
        case inspect.IntType():
            return 1 if kind.ge is None else kind.ge
        case inspect.BoolType():
            return True
        case inspect.EnumType():
            return next(iter(kind.cls)).value
        case inspect.VarTupleType():
            return [_value(kind.item_type)]
        case _:
            raise NotImplementedError(f"no sample of {kind}")
