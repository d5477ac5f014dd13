"""Checks every text of an input by its kind: at the door, and before a command sends it.

The kind stands beside the field's length, in `msgspec.Meta(extra=…)`. A field that has one is checked without
further code, in whatever list or structure it stands. A text without a kind is free text; one with a pattern
is an identifier.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import inspect
from msgspec.structs import replace

from shared.text import folded, folded_code, has_words, unplain

WORDS: Final = {"text": "words"}
"""Somebody must be able to read it: a reason, a result, a title, the name of a person. Kept as it was typed."""
IDENTIFIER: Final = {"text": "identifier"}
"""Compared as it stands: every character of it shows, and it is never changed."""
NAME: Final = {"text": "name"}
"""Compared with names we know, such as a district's: recorded in one form, and as it was typed beside it."""
CODE: Final = {"text": "code"}
"""A name that is written in small letters, such as a unit's id."""
FREE: Final = "free"
"""Nobody has to say anything; blanks say nothing and count as the empty text. Else it is kept as it was typed."""

T = TypeVar("T", bound=msgspec.Struct)
Typed = dict[str, str]
"""Of each text that is recorded in another form than it was typed in: how it was typed, by its field."""


class TextInvalid(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """Texts that cannot be taken as they are; names each field and what was expected, never what was typed."""


class Looked(NamedTuple):
    """An input whose texts are what they must be."""

    data: Any
    typed: Typed


class _Notes(NamedTuple):
    """Notes taken while the texts of one input are checked."""

    typed: Typed
    wrong: list[str]


_Look = Callable[[Any, str, _Notes], Any]
"""Takes a value, its place and the notes; returns the value in its one form."""


def looked_at(data: msgspec.Struct) -> Looked:
    """The same with its names in one form and its blanks gone; `TextInvalid` names all that is not what it must be."""
    notes = _Notes({}, [])
    made = _struct(data, "", notes)
    if notes.wrong:
        raise TextInvalid("; ".join(notes.wrong))
    return Looked(made, notes.typed)


def look_at(data: T) -> T:
    """The same where nobody asks how it was typed."""
    made: T = looked_at(data).data
    return made


def kinds_of(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Of each text of a structure, at whatever depth: of which kind it is, by its place, such as `called[]`."""
    found: dict[str, str] = {}
    for field in _fields(kind):
        _note(field.type, field.name, {}, found)
    return found


def _note(kind: inspect.Type, place: str, extra: dict[str, Any], found: dict[str, str]) -> None:
    match kind:
        case inspect.Metadata():
            _note(kind.type, place, kind.extra or {}, found)
        case inspect.UnionType():
            for one in kind.types:
                _note(one, place, extra, found)
        case inspect.VarTupleType() | inspect.ListType():
            _note(kind.item_type, f"{place}[]", {}, found)
        case inspect.StructType():
            found.update({f"{place}.{name}": of for name, of in kinds_of(kind.cls).items()})
        case inspect.StrType():
            found[place] = _kind_of(kind, extra)
        case _:
            pass


def _kind_of(kind: inspect.StrType, extra: dict[str, Any]) -> str:
    told: str = extra.get("text", FREE if kind.pattern is None else IDENTIFIER["text"])
    return told


# -- looking


def _struct(data: T, place: str, notes: _Notes) -> T:
    names, values, looks = _plan_of(type(data))
    changed: dict[str, Any] = {}
    for name, value, look in zip(names, values(data), looks, strict=True):
        if value:  # nothing is wrong with nothing: an empty text, no attachments, a field left out
            made = look(value, f"{place}{name}", notes)
            if made is not value:
                changed[name] = made
    return replace(data, **changed) if changed else data


_Plan = tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[_Look, ...]]


@cache
def _plan_of(kind: type[msgspec.Struct]) -> _Plan:
    """The fields in which texts stand, how they are read, and how each is looked at; made once for each type."""
    plan = {field.name: look for field in _fields(kind) if (look := _look(field.type, {})) is not None}
    names, looks = tuple(plan), tuple(plan.values())
    if len(names) > 1:
        return names, attrgetter(*names), looks
    return names, lambda data: tuple(getattr(data, name) for name in names), looks


def _fields(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)  # noqa: S101 -- for the type checker
    return found.fields


def _look(kind: inspect.Type, extra: dict[str, Any]) -> _Look | None:
    match kind:
        case inspect.Metadata():
            return _look(kind.type, kind.extra or {})
        case inspect.UnionType():
            looks = [look for one in kind.types if (look := _look(one, extra)) is not None]
            return looks[0] if looks else None
        case inspect.VarTupleType() | inspect.ListType():
            return _each(_look(kind.item_type, {}))
        case inspect.StructType():
            return lambda value, place, notes: _struct(value, f"{place}.", notes)
        case inspect.StrType():
            return _LOOKS[_kind_of(kind, extra)](kind)
        case _:
            return None


def _each(look: _Look | None) -> _Look | None:
    if look is None:
        return None

    def every(values: Any, place: str, notes: _Notes) -> Any:
        made = [look(value, f"{place}[{number}]", notes) for number, value in enumerate(values)]
        same = all(new is old for new, old in zip(made, values, strict=True))
        return values if same else type(values)(made)

    return every


def _words(_: inspect.StrType) -> _Look:
    def look(text: str, place: str, notes: _Notes) -> str:
        if not has_words(text):
            notes.wrong.append(f"{place}: {wordless(text)}")
        return text

    return look


def _free(_: inspect.StrType) -> _Look:
    def look(text: str, _place: str, _notes: _Notes) -> str:
        return text if has_words(text) else ""

    return look


def _identifier(_: inspect.StrType) -> _Look:
    def look(text: str, place: str, notes: _Notes) -> str:
        why = why_no_identifier(text)
        if why is not None:
            notes.wrong.append(f"{place}: {why}")
        return text

    return look


def why_no_identifier(text: str) -> str | None:
    """The expectation, where this text cannot identify anything; None where it can."""
    odd = unplain(text)
    if odd is None:
        return None
    return f"expected characters that show, and no blank at an end, got U+{ord(odd):04X} in it"


def _in_one_form(form: Callable[[str], str]) -> Callable[[inspect.StrType], _Look]:
    def bounded(kind: inspect.StrType) -> _Look:
        demanded, most = bool(kind.min_length), kind.max_length

        def look(text: str, place: str, notes: _Notes) -> str:
            made = form(text)
            if not has_words(made):
                if demanded:
                    notes.wrong.append(f"{place}: {wordless(text)}")
                return ""
            if made == text:
                return text
            if most is not None and len(made) > most:
                notes.wrong.append(f"{place}: {len(made)} characters written out, expected at most {most}")
            notes.typed[place] = text
            return made

        return look

    return bounded


def wordless(text: str) -> str:
    """The expectation for a text without words, and the number of characters that stand there."""
    got = {0: "", 1: "1 character that shows "}.get(len(text), f"{len(text)} characters that show ")
    return f"expected words that can be read, got {got}nothing"


_LOOKS: Final[dict[str, Callable[[inspect.StrType], _Look]]] = {
    "words": _words,
    "identifier": _identifier,
    "name": _in_one_form(folded),
    "code": _in_one_form(folded_code),
    FREE: _free,
}
