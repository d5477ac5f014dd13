"""The published contract: every topic and message as AsyncAPI 3.0, made from the table of topics.

`python -m hotline.contract.asyncapi FILE` writes it, `--check FILE` fails where the file is not what the code says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from hotline.contract.examples.told import input_example, structured_example, told_example
from hotline.contract.limits import (
    AHEAD_SECONDS,
    DESCRIPTION,
    LIMITS,
    PARTITION,
    PARTITIONER,
    SECURITY,
    SERVERS,
)
from hotline.contract.schemas import REF, STORED, STRUCTURED, Kind, schemas_of
from hotline.contract.writing import write_or_check
from shared.doors.heard import LOGIN, by_login
from shared.events import Fact
from shared.inputs import Input
from shared.log.anchors import CE_TYPE as ANCHORED
from shared.log.anchors import Anchor
from shared.log.codec import ce_type_of
from shared.programme_notice import CE_TYPE as PROGRAMME
from shared.programme_notice import ProgrammeNotice
from shared.results import CE_TYPE as PARKED
from shared.results import InputParked, as_told
from shared.runtime.clock import INPUT_AGE_DAYS_MAX
from shared.structured import CONTENT_TYPE
from shared.topic_names import UNIT_NAME
from shared.topics import COMPLAINTS_ANCHORS, COMPLAINTS_LOG, DISPATCH_ORDERS, RESULTS, TOPICS, UNIT, Topic
from shared.versions import release

_HEADERS = {
    "ce_specversion": "always 1.0",
    "ce_type": "the message's type and version",
    "ce_source": "who speaks; with ce_id the event's identity on its topic",
    "ce_id": "unique within the source; the same source and id are the same event",
    "ce_time": "RFC 3339 with zone: when it happened",
    "content-type": "application/json",
}
_INPUT_TIME = (
    f"RFC 3339 with zone: when it happened; at most {INPUT_AGE_DAYS_MAX} days before the present and "
    f"{AHEAD_SECONDS} seconds ahead of it"
)
_ACTOR_HEADER = {
    "ce_actorid": "may be left out: the person who said it, by an id of 1 to 64 letters, digits and . _ : - (no name)"
}
_FACT_HEADERS = {
    "ce_sequence": "the fact's version in its complaint, ten digits; dense",
    "ce_causationid": "the message or fact that led to it",
    "ce_relaymark": "the relay's place; not greater than the last one of its complaint: a repeat",
}


def document() -> dict[str, Any]:
    """The whole contract."""
    kinds: list[Kind] = list(dict.fromkeys(kind for t in TOPICS for kind in _carried(t)))
    names = {kind: _name(kind) for kind in kinds}
    channels = [channel for topic in TOPICS for channel in _channels(topic)]
    inputs = [kind for kind in kinds if issubclass(kind, Input)]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "hotline",
            "version": release(),
            "description": DESCRIPTION,
            "x-limits": LIMITS,
        },
        "defaultContentType": "application/json",
        "servers": SERVERS,
        "channels": {_channel(topic): _described(topic, names) for topic in channels},
        "operations": {
            f"{verb}.{_channel(topic)}": {
                "action": verb,
                "channel": {"$ref": f"#/channels/{_channel(topic)}"},
                "summary": f"{topic.speaker} → {', '.join(topic.hearers)}: {topic.purpose}",
            }
            for topic in channels
            for verb in (["send"] if topic.speaker == "relay" else ["receive"])
        },
        "components": {
            "securitySchemes": SECURITY,
            "messages": {
                **{names[kind]: _message(kind, names[kind]) for kind in kinds},
                **{names[kind] + STRUCTURED: _structured(kind, names[kind]) for kind in inputs},
            },
            "schemas": schemas_of(kinds),
        },
    }


def _carried(topic: Topic) -> tuple[Kind, ...]:
    """The messages of a topic: facts as they are told there, inputs, and beside them what is neither."""
    if topic is COMPLAINTS_ANCHORS:
        return (Anchor,)
    if topic is COMPLAINTS_LOG or topic.speaker != "relay":
        return topic.carries
    told = tuple(as_told(kind) for kind in topic.carries if issubclass(kind, Fact))
    more: tuple[Kind, ...] = (InputParked,) if _is_of_results(topic) else ()
    return (*told, *more, ProgrammeNotice) if topic is DISPATCH_ORDERS else (*told, *more)


def _is_of_results(topic: Topic) -> bool:
    return topic.name.removesuffix(f".{LOGIN}") in RESULTS


def _channels(topic: Topic) -> tuple[Topic, ...]:
    """A line of the table, and where several speak at its door the topics of their logins as one more."""
    if not by_login(topic):
        return (topic,)
    if topic.speaker == "relay":
        purpose = f"The same as `{topic.name}`, for the login that speaks on a topic of its own."
        return topic, replace(topic, name=f"{topic.name}.{LOGIN}", purpose=purpose)
    purpose = f"The same as `{topic.name}`, from one login: it alone writes here, and what it says stops nobody else."
    return topic, replace(topic, name=f"{topic.name}.{LOGIN}", purpose=purpose)


def _channel(topic: Topic) -> str:
    return topic.name.replace(UNIT, "unit").replace(LOGIN, "login")


def _name(kind: Kind) -> str:
    return f"{kind.__name__}Told" if issubclass(kind, Input) else kind.__name__


def _described(topic: Topic, names: dict[Kind, str]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "address": topic.name,
        "description": topic.purpose,
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"}
            for kind in _carried(topic)
            for name in (
                [names[kind], names[kind] + STRUCTURED] if issubclass(kind, Input) else [names[kind]]
            )
        },
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": {"retention.ms": int(topic.retention.total_seconds() * 1000)},
            }
        },
        "x-key": topic.key,
        "x-partitioner": PARTITIONER,
        "x-partition": PARTITION,
        "x-speaker": topic.speaker,
        "x-hearers": list(topic.hearers),
    }
    if topic.per_unit:
        described["parameters"] = {
            "unit": {"description": f"The unit's id in the dispatch catalogue ({UNIT_NAME.pattern})."}
        }
    if topic.name.endswith(LOGIN):
        described["parameters"] = {
            "login": {"description": f"The login of the speaker ({UNIT_NAME.pattern})."}
        }
    return described


def _message(kind: Kind, title: str) -> dict[str, Any]:
    stored = STORED.get(kind)
    own: dict[str, str] = {}
    if issubclass(kind, Input):
        ce_type, own, example = kind.TYPE, {"ce_time": _INPUT_TIME} | _ACTOR_HEADER, input_example(kind)
    elif issubclass(kind, Anchor):
        ce_type, example = ANCHORED, told_example(kind, None)
    elif issubclass(kind, InputParked):
        ce_type, example = PARKED, told_example(kind, None)
    elif issubclass(kind, ProgrammeNotice):
        ce_type, example = PROGRAMME, told_example(kind, None)
    else:
        fact = stored or kind
        ce_type, own, example = (
            ce_type_of(fact.__name__, fact.SCHEMA).decode(),
            _FACT_HEADERS,
            told_example(kind, stored),
        )
    headers: dict[str, Any] = {
        name: {"type": "string", "description": text} for name, text in (_HEADERS | own).items()
    }
    headers["ce_type"]["const"] = ce_type
    headers["ce_time"]["format"] = "date-time"
    return {
        "name": ce_type,
        "title": title,
        "summary": (kind.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": headers,
            "required": list(_HEADERS if issubclass(kind, Input) else _HEADERS | own),
        },
        "payload": {"$ref": REF.format(name=kind.__name__)},
        "bindings": _key(kind),
        "examples": [example],
    }


def _key(kind: Kind) -> dict[str, Any]:
    """The key of a message, as each of its topics has it."""
    if kind is ProgrammeNotice:
        keys = {"programme id": None}
    else:
        keys = dict.fromkeys(topic.key for topic in TOPICS if kind in _carried(topic))
    return {"kafka": {"key": {"type": "string", "description": "; or ".join(keys)}}}


def _structured(kind: type[Input], title: str) -> dict[str, Any]:
    """The same input, told in structured mode."""
    return {
        "name": kind.TYPE,
        "title": title + STRUCTURED,
        "summary": (kind.__doc__ or "").strip().splitlines()[0],
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": REF.format(name=f"{STRUCTURED}Headers")},
        "payload": {"$ref": REF.format(name=kind.__name__ + STRUCTURED)},
        "bindings": _key(kind),
        "examples": [structured_example(kind)],
    }


def text() -> str:
    """The contract as it stands in docs/."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


def main() -> int:
    """Write or check the file."""
    return write_or_check(text, module="hotline.contract.asyncapi", about=__doc__ or "", made_of="messages")


if __name__ == "__main__":
    raise SystemExit(main())
