"""The records in a stack's folder: `stack.json` for its parts, `services.json` for who runs on it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from deploy.embedded.atomic import write_atomically
from deploy.embedded.child import LOOPBACK, Child
from deploy.embedded.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STACK_FILE: Final = "stack.json"
SERVICES_FILE: Final = "services.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The parts of a stack: their ports, which stay over restarts, and their processes."""

    ports: Mapping[str, int] = field(default_factory=dict)
    running: Mapping[str, Child] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The services that run on a stack, and the process that keeps them alive."""

    supervisor: Child | None = None
    services: Mapping[str, Child] = field(default_factory=dict)


def is_stack(folder: Path) -> bool:
    """Say whether a folder was made by us."""
    return (folder / STACK_FILE).exists()


def read_state(folder: Path) -> State:
    """Read `stack.json`; an empty state where there is none."""
    found = _read(folder / STACK_FILE)
    if found is None:
        return State()
    try:
        return State(
            ports={str(name): int(port) for name, port in found["ports"].items()},
            running={str(name): Child(**process) for name, process in found["running"].items()},
            versions={str(name): str(version) for name, version in found["versions"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _unreadable(folder / STACK_FILE) from None


def write_state(folder: Path, state: State) -> None:
    """Write `stack.json`, with the addresses for whoever reads it by eye; it holds no password."""
    addresses = {name: f"{LOOPBACK}:{port}" for name, port in state.ports.items()}
    text = json.dumps(asdict(state) | {"addresses": addresses}, indent=2)
    write_atomically(folder / STACK_FILE, text + "\n")


def read_roster(folder: Path) -> Roster:
    """Read `services.json`; an empty roster where there is none."""
    found = _read(folder / SERVICES_FILE)
    if found is None:
        return Roster()
    try:
        return Roster(
            supervisor=Child(**found["supervisor"]) if found["supervisor"] else None,
            services={str(name): Child(**process) for name, process in found["services"].items()},
        )
    except (KeyError, TypeError, AttributeError):
        raise _unreadable(folder / SERVICES_FILE) from None


def write_roster(folder: Path, roster: Roster) -> None:
    """Write `services.json`; nothing where the folder is gone, as after a wipe."""
    if folder.exists():
        write_atomically(folder / SERVICES_FILE, json.dumps(asdict(roster), indent=2) + "\n")


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise _unreadable(file) from None
    if not isinstance(found, dict):
        raise _unreadable(file)
    return found


def _unreadable(file: Path) -> StackError:
    return StackError(
        f"{file} cannot be read as a stack's: end the stack's processes, then remove {file.parent}."
    )
