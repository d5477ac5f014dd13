"""`docs/calls.md`: what each sequence of a switch's events comes to, one line a file of `tests/intake/golden`.

The files say what must come of the events; `tests/intake/test_register.py` asks whether it does.
`python -m tests.call_table FILE` writes the page, `--check` compares.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from hotline.contract.writing import write_or_check
from services.intake.call_statistics import CallRecord
from services.intake.pbx import SWITCHES
from services.intake.pbx.event import CallInput
from services.intake.register import Kept, call_of, kept
from shared.inputs import CallAnswered, CallEnded, CallOffered

DOCS: Final = "docs/calls.md"
GOLDEN: Final = Path(__file__).parent / "intake" / "golden"
_INPUTS: Final = {kind.__name__: kind for kind in (CallOffered, CallAnswered, CallEnded)}
_NAMES: Final = {"asterisk": "Asterisk", "freeswitch": "FreeSWITCH", "inputs": "Inputs of `telephony.calls`"}


_HEAD: Final = """# What becomes of a call

Made by `python -m tests.call_table docs/calls.md` from the files of `tests/intake/golden`; do not edit. Each file holds
the events of one sequence as the switch sends them, and what must come of them. Times are seconds since the first.
The rule stands in `services/intake/register.py`, its reasons in decision 0034.

- Every call has one state. It has the same one in whatever order its events come, and however often.
- `wait` is from offered to answered, `talk` is what agents talked, `gave up` is from offered to the end.
- A dash is a time that is not known, or that there is not. A time below zero is not known.
- An answered call with no known wait counts as offered and answered, and not as answered in time.

A switch must be told to send these:

- Asterisk: `timestampevents = yes` in `manager.conf`, and the event classes `agent`, `call` and `dialplan`. Without
  `dialplan` (`VarSet`) nobody learns of full and closed queues, and a queue whose time is over looks like a caller who
  gave up.
- FreeSWITCH: `CUSTOM callcenter::info`, `CUSTOM fifo::info` and `CHANNEL_HANGUP_COMPLETE`. It does not say that a line
  was full before any queue: tell of such a call as offered and ended with `busy`.
"""


class Outcome(NamedTuple):
    """What a call must come to, in seconds."""

    outcome: str | None
    wait: float | None
    talk: float | None
    gave_up_after: float | None
    counted: bool = True


class Golden(NamedTuple):
    """One file."""

    name: str
    what: str
    switch: str
    events: Sequence[Mapping[str, Any]]
    calls: Mapping[str, Outcome]

    @property
    def told(self) -> list[CallInput]:
        """Its events, as intake takes them in."""
        said: Callable[[Mapping[str, Any]], list[CallInput]] = SWITCHES.get(self.switch, _as_input)
        return [one for event in self.events for one in said(event)]


def goldens() -> list[Golden]:
    """All files, by name."""
    found = []
    for file in sorted(GOLDEN.glob("*.json")):
        read = json.loads(file.read_text(encoding="utf-8"))
        calls = {call: Outcome(**outcome) for call, outcome in read["calls"].items()}
        found.append(Golden(file.stem, read["what"], read["switch"], read["events"], calls))
    return found


def register(told: Iterable[CallInput]) -> dict[str, CallRecord]:
    """What the register makes of these, by call."""
    sets: dict[str, list[Kept]] = {}
    for one in told:
        sets.setdefault(one.data.call_id, []).append(kept(one.data, one.at))
    return {call: call_of(things) for call, things in sets.items()}


def outcome(record: CallRecord) -> Outcome:
    """A record in the terms of the files."""

    def seconds(span: timedelta | None) -> float | None:
        return None if span is None else span.total_seconds()

    wait, talk, gave_up_after = (seconds(span) for span in (record.wait, record.talk, record.gave_up_after))
    return Outcome(record.outcome, wait, talk, gave_up_after, record.reached)


def _as_input(event: Mapping[str, Any]) -> list[CallInput]:
    fields = {name: value for name, value in event.items() if name not in ("input", "time")}
    at = datetime.fromtimestamp(int(event["time"]) / 1e6, UTC)
    return [CallInput(_INPUTS[event["input"]](**fields), at, json.dumps(event, sort_keys=True))]


def text() -> str:
    """The page."""
    lines = [_HEAD]
    for switch, name in _NAMES.items():
        lines.append(f"## {name}\n")
        lines.append("| sequence | events | state | wait | talk | gave up |\n|---|---|---|---|---|---|")
        lines += [_line(golden) for golden in goldens() if golden.switch == switch]
        lines.append("")
    return "\n".join(lines)


def _line(golden: Golden) -> str:
    first = min(one.at for one in golden.told)
    (found,) = golden.calls.values()
    events = ", ".join(f"{_name(event)} {_after(golden, event, first)}".strip() for event in golden.events)
    state = (found.outcome or "waits") + ("" if found.counted else ", not counted: never offered")
    cells = (golden.what, events, state, *(_shown(span) for span in found[1:4]))
    return "| " + " | ".join(cells) + " |"


def _name(event: Mapping[str, Any]) -> str:
    known = ("input", "CC-Action", "FIFO-Action", "Event", "Event-Name")
    name = next(str(event[key]) for key in known if key in event)
    said = (
        "Value",
        "Cause",
        "CC-Cause",
        "CC-Cancel-Reason",
        "CC-Agent-Bridged",
        "Hangup-Cause",
        "Reason",
        "cause",
    )
    more = [str(event[key]) for key in said if key in event]
    more += [key for key in ("left_queue", "reckoned") if event.get(key)]
    return f"{name} ({' '.join(more)})" if more else name


def _after(golden: Golden, event: Mapping[str, Any], first: datetime) -> str:
    stamp = event.get("Timestamp") or int(event.get("Event-Date-Timestamp") or event["time"]) / 1e6
    return f"{float(stamp) - first.timestamp():.2f}".rstrip("0").rstrip(".")


def _shown(span: float | None) -> str:
    return "–" if span is None else f"{span:g} s"


def main() -> int:
    """Write or check the page."""
    return write_or_check(text, module="tests.call_table", about=__doc__ or "", made_of="files")


if __name__ == "__main__":
    raise SystemExit(main())
