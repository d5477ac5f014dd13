"""The published contract: every topic and message as AsyncAPI 3.0, made from the table of topics.

`python -m hotline.contract.asyncapi FILE` writes it, `--check FILE` fails where the file is not what the code says.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from shared.doors.heard import LOGIN, by_login
from shared.events import SPEAKERS, Fact
from shared.inputs import Input
from shared.log.anchors import CE_TYPE as ANCHORED
from shared.log.anchors import Anchor
from shared.log.codec import ce_type_of
from shared.programme_notice import CE_TYPE as PROGRAMME
from shared.programme_notice import ProgrammeNotice
from shared.results import CE_TYPE as PARKED
from shared.results import InputParked, as_told
from shared.structured import CONTENT_TYPE, REQUIRED
from shared.topic_names import UNIT_NAME
from shared.topics import COMPLAINTS_ANCHORS, COMPLAINTS_LOG, DISPATCH_ORDERS, RESULTS, TOPICS, UNIT, Topic

_Kind = type[Fact | Input | Anchor | InputParked | ProgrammeNotice]
_STORED: dict[_Kind, type[Fact]] = {as_told(fact): fact for fact in SPEAKERS}
"""The fact that a message is, where it says more than that."""

_REF = "#/components/schemas/{name}"
_HEADERS = {
    "ce_specversion": "always 1.0",
    "ce_type": "the message's type and version",
    "ce_source": "who speaks; with ce_id the event's identity on its topic",
    "ce_id": "unique within the source; the same source and id are the same event",
    "content-type": "application/json",
}
_INPUT_HEADERS = {"ce_time": "RFC 3339 with zone: when it happened"}
_STRUCTURED = "Structured"
"""The suffix of an input's message name in structured mode."""
_STRUCTURED_SCHEMAS: dict[str, Any] = {
    _STRUCTURED: {
        "title": "A CloudEvent in structured mode",
        "type": "object",
        "properties": {
            "specversion": {"type": "string", "const": "1.0"},
            "type": {"type": "string", "description": _HEADERS["ce_type"]},
            "source": {
                "type": "string",
                "minLength": 1,
                "description": _HEADERS["ce_source"].replace("ce_", ""),
            },
            "id": {"type": "string", "minLength": 1, "description": _HEADERS["ce_id"]},
            "time": {"type": "string", "format": "date-time", "description": _INPUT_HEADERS["ce_time"]},
            "datacontenttype": {"type": "string", "description": "application/json, where it is said"},
            "data_base64": {
                "type": "string",
                "description": "the data in Base64, where there is no member data",
            },
        },
        "required": list(REQUIRED),
        "oneOf": [{"required": ["data"]}, {"required": ["data_base64"]}],
    },
    f"{_STRUCTURED}Headers": {
        "type": "object",
        "properties": {
            "content-type": {
                "type": "string",
                "description": f"{CONTENT_TYPE}, with or without charset=utf-8",
            }
        },
        "required": ["content-type"],
    },
}
_PARKED_HEADERS = {"ce_time": "RFC 3339 with zone: when it was parked"}
_PROGRAMME_HEADERS = {"ce_time": "RFC 3339 with zone: when it happened"}
_FACT_HEADERS = {
    "ce_sequence": "the fact's version in its complaint, ten digits; dense",
    "ce_causationid": "the message or fact that led to it",
    "ce_relaymark": "the relay's place; not greater than the last one of its complaint: a repeat",
}


def document() -> dict[str, Any]:
    """The whole contract."""
    kinds: list[_Kind] = list(dict.fromkeys(kind for t in TOPICS for kind in _carried(t)))
    names = {kind: _name(kind) for kind in kinds}
    channels = [channel for topic in TOPICS for channel in _channels(topic)]
    _, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    schemas = {**components, **_STRUCTURED_SCHEMAS}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "hotline",
            "version": version("hotline"),
            "description": "Topics of a city hotline. Messages are CloudEvents 1.0. What the hotline says is in binary "
            "Kafka mode; what it is told may be in binary or structured mode, by content-type.",
        },
        "defaultContentType": "application/json",
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
            "messages": {
                **{names[kind]: _message(kind, components) for kind in kinds},
                **{
                    names[kind] + _STRUCTURED: _structured(kind, components)
                    for kind in kinds
                    if issubclass(kind, Input)
                },
            },
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _carried(topic: Topic) -> tuple[_Kind, ...]:
    """The messages of a topic: facts as they are told there, inputs, and beside them what is neither."""
    if topic is COMPLAINTS_ANCHORS:
        return (Anchor,)
    if topic is COMPLAINTS_LOG or topic.speaker != "relay":
        return topic.carries
    told = tuple(as_told(kind) for kind in topic.carries if issubclass(kind, Fact))
    more: tuple[_Kind, ...] = (InputParked,) if _is_of_results(topic) else ()
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


def _name(kind: _Kind) -> str:
    return f"{kind.__name__}Told" if issubclass(kind, Input) else kind.__name__


def _described(topic: Topic, names: dict[_Kind, str]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "address": topic.name,
        "description": topic.purpose,
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"}
            for kind in _carried(topic)
            for name in (
                [names[kind], names[kind] + _STRUCTURED] if issubclass(kind, Input) else [names[kind]]
            )
        },
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": {"retention.ms": int(topic.retention.total_seconds() * 1000)},
            }
        },
        "x-key": topic.key,
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


def _message(kind: _Kind, components: dict[str, Any]) -> dict[str, Any]:
    if issubclass(kind, Input):
        ce_type, own = kind.TYPE, _INPUT_HEADERS
    elif issubclass(kind, Anchor):
        ce_type, own = ANCHORED, {}
    elif issubclass(kind, InputParked):
        ce_type, own = PARKED, _PARKED_HEADERS
    elif issubclass(kind, ProgrammeNotice):
        ce_type, own = PROGRAMME, _PROGRAMME_HEADERS
    else:
        fact = _STORED.get(kind, kind)
        assert issubclass(fact, Fact)  # noqa: S101 -- for the type checker
        ce_type, own = ce_type_of(fact.__name__, fact.SCHEMA).decode(), _FACT_HEADERS
    headers = {name: {"type": "string", "description": text} for name, text in (_HEADERS | own).items()}
    headers["ce_type"] = {"type": "string", "const": ce_type}
    return {
        "name": ce_type,
        "summary": (kind.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": {"type": "object", "properties": headers, "required": list(_HEADERS)},
        "payload": {"$ref": _REF.format(name=_schema_name(components, kind))},
    }


def _structured(kind: type[Input], components: dict[str, Any]) -> dict[str, Any]:
    """The same input, told in structured mode."""
    own = {
        "type": {"const": kind.TYPE},
        "data": {"$ref": _REF.format(name=_schema_name(components, kind))},
    }
    return {
        "name": kind.TYPE,
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": _REF.format(name=f"{_STRUCTURED}Headers")},
        "payload": {"allOf": [{"$ref": _REF.format(name=_STRUCTURED)}, {"properties": own}]},
    }


def _schema_name(components: dict[str, Any], kind: _Kind) -> str:
    """Msgspec puts the module before a name that stands twice (OrderSigned is an input and a fact)."""
    if kind.__name__ in components:
        return kind.__name__
    return f"{kind.__module__}.{kind.__qualname__}"


def text() -> str:
    """The contract as it stands in docs/."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


def main() -> int:
    """Write or check the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    file: Path = arguments.file
    made = text()
    if not arguments.check:
        file.write_text(made)
        return 0
    if file.exists() and file.read_text() == made:
        return 0
    print(
        f"{file} is not what the code says: run `python -m hotline.contract.asyncapi {file}`", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
