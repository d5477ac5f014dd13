"""Which decision answers which command: a decision registers itself, and the table of a desk must be whole."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Generic, NamedTuple, TypeVar

from shared.asked import Asked
from shared.inputs import Input
from shared.topics import Topic

CommandT = TypeVar("CommandT", bound=Input)
AskedT = TypeVar("AskedT", bound=Asked)
CaseT = TypeVar("CaseT")
KnownT = TypeVar("KnownT")
SaidT = TypeVar("SaidT")


class _Entry(NamedTuple):
    decision: Callable[..., Any]
    knowing: bool
    words: str


class DecisionTable(Generic[CaseT, KnownT, SaidT]):
    """The decisions of a desk by command: of a case they say an outcome, some with what the desk knows beside."""

    def __init__(self) -> None:
        """Nothing is registered yet."""
        self._entries: dict[type[Input], _Entry] = {}

    def decides(
        self, kind: type[CommandT], words: str = ""
    ) -> Callable[[Callable[[CommandT, AskedT, CaseT], SaidT]], Callable[[CommandT, AskedT, CaseT], SaidT]]:
        """Register the decorated function as the decision on this command; `words` name the command in a refusal."""

        def register(
            decision: Callable[[CommandT, AskedT, CaseT], SaidT],
        ) -> Callable[[CommandT, AskedT, CaseT], SaidT]:
            self._registers(kind, _Entry(decision, knowing=False, words=words))
            return decision

        return register

    def decides_knowing(
        self, kind: type[CommandT], words: str = ""
    ) -> Callable[
        [Callable[[CommandT, AskedT, CaseT, KnownT], SaidT]],
        Callable[[CommandT, AskedT, CaseT, KnownT], SaidT],
    ]:
        """As `decides`, for a decision that also looks at what the desk knows, such as its catalogue."""

        def register(
            decision: Callable[[CommandT, AskedT, CaseT, KnownT], SaidT],
        ) -> Callable[[CommandT, AskedT, CaseT, KnownT], SaidT]:
            self._registers(kind, _Entry(decision, knowing=True, words=words))
            return decision

        return register

    def read(self, decisions: ModuleType, *heard: Topic) -> None:
        """Read every matter of a desk's `decisions`; `TypeError` where they are not just what these topics carry."""
        for matter in iter_modules(decisions.__path__):
            import_module(f"{decisions.__name__}.{matter.name}")
        asked: dict[type[Any], str] = {kind: topic.name for topic in heard for kind in topic.carries}
        missing = [f"{kind.__name__} of {name}" for kind, name in asked.items() if kind not in self._entries]
        unheard = [kind.__name__ for kind in self._entries if kind not in asked]
        if missing or unheard:
            message = f"{decisions.__name__}: no decision on {missing or 'none'}, no topic carries {unheard or 'none'}"
            raise TypeError(message)

    def decide(self, asked: Asked, case: CaseT, known: KnownT) -> SaidT:
        """The outcome, by the decision on this command."""
        entry = self._entries[type(asked.command)]
        said: SaidT = (
            entry.decision(asked.command, asked, case, known)
            if entry.knowing
            else entry.decision(asked.command, asked, case)
        )
        return said

    def words_of(self, command: Input) -> str:
        """The name of this command in a refusal."""
        return self._entries[type(command)].words

    def _registers(self, kind: type[Input], entry: _Entry) -> None:
        if kind in self._entries:
            message = f"{kind.__name__} is decided already, by {self._entries[kind].decision.__qualname__}"
            raise TypeError(message)
        self._entries[kind] = entry
