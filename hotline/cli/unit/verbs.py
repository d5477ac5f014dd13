"""A line that is typed at a unit's desk, as the command it stands for: each verb is the command of that name. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Final, NamedTuple


class NotUnderstood(Exception):  # noqa: N818 -- said to the person who typed it
    """The line is no command; the text says how it is typed."""


class Verb(NamedTuple):
    """The words behind an order's number, in the order in which they are typed."""

    needed: tuple[str, ...] = ()
    """The options that must be told; each takes one word, and the last the rest."""
    further: tuple[str, ...] = ()
    """The options that may be told behind them."""
    divided: bool = False
    """The last two of `needed` stand with a colon between."""


VERBS: Final[Mapping[str, Verb]] = {
    "sign": Verb(),
    "answer": Verb(("text",)),
    "assign": Verb(("to", "reason")),
    "contact": Verb((), ("failed",)),
    "progress": Verb(("text",)),
    "report": Verb(("text",)),
    "return": Verb(("reason", "evidence"), divided=True),
    "dispute": Verb(("reason", "evidence"), divided=True),
    "extend": Verb(("days", "reason")),
    "pause": Verb(("days", "ground", "evidence")),
    "resume": Verb(("reason",)),
    "terminate": Verb(("ground", "evidence")),
    "exclude": Verb(("ground", "evidence")),
    "whistle": Verb(("kind", "call", "scene", "reason"), divided=True),
    "acknowledge": Verb(),
    "arrive": Verb((), ("persons",)),
    "measure": Verb(("text",)),
    "release": Verb((), ("reason",)),
    "rate": Verb(("of", "stars"), ("text",)),
}
"""Every verb about an order, by the name of its command."""

APART: Final = ("offered", "answer-offered")
"""Commands of a unit about no single order of the list: they are typed as on the command line."""

_NUMBER: Final = re.compile(r"[0-9]{1,6}")
_OPTIONS: Final = re.compile(r"(?:^|\s)(--[a-z].*)$", re.DOTALL)


def usage(name: str) -> str:
    """How a verb is typed, such as `return N REASON: EVIDENCE`."""
    verb = VERBS[name]
    words = [option.upper() for option in verb.needed]
    if verb.divided:
        words[-2] += ":"
    return " ".join((name, "N", *words, *(f"[{option.upper()}]" for option in verb.further)))


def order_of(name: str, rest: str, shown: int) -> tuple[int, str]:
    """The number of the order that a verb is about, of so many that were shown, and the words behind it."""
    number, _, words = rest.strip().partition(" ")
    if shown == 0:
        raise NotUnderstood(f"There is no open order to {name}.")
    if not _NUMBER.fullmatch(number) or not 1 <= int(number) <= shown:
        raise NotUnderstood(f"{name} which? Give the number in front of an order, 1 to {shown}.")
    return int(number), words.strip()


def command_of(name: str, complaint: str, words: str, unit: str) -> list[str]:
    """The words of the command: what stands behind the number, and options as the command has them.

    Raises `NotUnderstood` where something is missing.
    """
    verb = VERBS[name]
    typed = _OPTIONS.search(words)
    options = _split(typed[1]) if typed else []
    told = words[: typed.start()].strip() if typed else words
    given = {} if typed and not told else _given(name, verb, told)
    return [
        name,
        complaint,
        f"--unit={unit}",
        *(f"--{option}={value}" for option, value in given.items()),
        *options,
    ]


def command_apart(name: str, rest: str, unit: str) -> list[str]:
    """The words of a command that is about no single order of the list."""
    return [name, *_split(rest), f"--unit={unit}"]


def _given(name: str, verb: Verb, told: str) -> dict[str, str]:
    options = (*verb.needed, *verb.further)
    parts: list[str]
    if verb.divided:
        first, _, last = told.replace("：", ":", 1).partition(":")
        parts = [*first.split(maxsplit=len(options) - 2), last.strip()]
    else:
        parts = told.split(maxsplit=len(options) - 1) if options else [told]
    parts = [part for part in parts if part]
    if not options and parts:
        raise NotUnderstood(f"{usage(name)}: nothing stands behind the number.")
    if len(parts) < len(verb.needed):
        raise NotUnderstood(f"{usage(name)}: something is missing; `help` shows all verbs.")
    return dict(zip(options, parts, strict=False))


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        raise NotUnderstood("A quotation mark is not closed.") from None
