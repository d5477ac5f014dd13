"""The numbers that a speaker must keep, as the contract gives them: sizes, counts, clocks, partitions."""

from __future__ import annotations

from typing import Any, Final

from shared.cloudevents import ATTRIBUTE_BYTES_MAX, HEADERS_BYTES_MAX, HEADERS_MAX, VALUE_BYTES_MAX
from shared.rfc3339 import LENGTH_MAX
from shared.runtime.clock import AHEAD_MAX, INPUT_AGE_DAYS_MAX

AHEAD_SECONDS: Final = round(AHEAD_MAX.total_seconds())

LIMITS: Final[dict[str, Any]] = {
    "valueBytesMax": VALUE_BYTES_MAX,
    "headersMax": HEADERS_MAX,
    "headersBytesMax": HEADERS_BYTES_MAX,
    "attributeBytesMax": ATTRIBUTE_BYTES_MAX,
    "timeCharactersMax": LENGTH_MAX,
    "timeBehindDaysMax": INPUT_AGE_DAYS_MAX,
    "timeAheadSecondsMax": AHEAD_SECONDS,
}
"""Of a message at a door, by its name in the contract; all of them inclusive."""

PARTITIONER: Final = "crc32"
PARTITION: Final = (
    "CRC32 of the key's bytes, modulo the number of partitions; librdkafka calls it `consistent`"
)

DESCRIPTION: Final = f"""\
Topics of a city hotline. Messages are CloudEvents 1.0. The hotline speaks in binary Kafka mode. It takes in \
binary and structured mode, by `content-type`.

A message at a door has at most {VALUE_BYTES_MAX} bytes of value, {HEADERS_MAX} headers, {HEADERS_BYTES_MAX} bytes of \
headers and {ATTRIBUTE_BYTES_MAX} bytes of each attribute. Its time, and each time in its data that says when \
something happened, lies at most {INPUT_AGE_DAYS_MAX} days behind the present and {AHEAD_SECONDS} seconds ahead of it. \
A city can set other days. `x-limits` has the same numbers for programs.

Messages of one key on one topic keep their order. Each channel names the content of its key (`x-key`) and how the \
hotline finds the partition (`x-partition`). Another partitioner may be used, by all speakers of a topic or by none.

The examples are all of one complaint of 2021. Give one a present time before you send it.
"""

SERVERS: Final[dict[str, Any]] = {
    name: {
        "host": "{host}:{port}",
        "protocol": protocol,
        "description": text,
        "variables": {
            "host": {"description": "The host, as `hotline login add` shows it.", "default": "127.0.0.1"},
            "port": {"description": "The port, as `hotline login add` shows it.", "default": "9092"},
        },
        "security": [{"$ref": "#/components/securitySchemes/scramSha512"}],
    }
    for name, protocol, text in (
        ("machine", "kafka", "Kafka on the loopback address of the hotline's own machine."),
        ("network", "kafka-secure", "Kafka for other machines, by TLS."),
    )
}
SECURITY: Final[dict[str, Any]] = {
    "scramSha512": {
        "type": "scramSha512",
        "description": "SASL/SCRAM-SHA-512 with the user and password of `hotline login add`.",
    }
}
