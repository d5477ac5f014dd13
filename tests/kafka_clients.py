"""Clients of Kafka that are not ours. Each plays all the systems outside of some lives, with a login for each.

confluent-kafka and kafkajs are set up by what `hotline login add` prints, word for word. For kafka-python nothing is
printed: it has its login, and places keys by itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final, NamedTuple, Protocol

from confluent_kafka import Consumer, Producer

from deploy.city import client_settings
from deploy.city.admission import Admission
from shared.runtime import kafka_address

KAFKAJS: Final = Path(__file__).parent / "connected" / "kafkajs"
NODE: Final = shutil.which("node")
NPM: Final = shutil.which("npm")
HEAR_SECONDS: Final = 0.05
SEND_SECONDS: Final = 60
ANSWER_SECONDS: Final = 120
"""Patience with Node on a machine that others use too; nothing is judged by it."""


class Said(NamedTuple):
    """A message as any client takes it."""

    key: str
    value: bytes
    headers: Mapping[str, str]


class Heard(NamedTuple):
    """A message as any client gives it."""

    system: str
    """The system whose login heard it."""
    type: str
    value: bytes


class Systems(Protocol):
    """Some systems outside, made of one client; each by its name."""

    def say(self, system: str, messages: Sequence[Said]) -> None:
        """Write on the one topic that the system may write; returns when Kafka has them."""
        ...

    def hear(self) -> list[Heard]:
        """Messages that any of them got meanwhile."""
        ...

    def close(self) -> None: ...


def door_of(admitted: Admission) -> str:
    """The one topic that a login may write."""
    (topic,) = admitted.writes
    return topic


class Confluent:
    """By librdkafka's printed settings."""

    def __init__(self, admitted: Mapping[str, Admission], folder: Path) -> None:
        del folder
        self._door = {system: door_of(one) for system, one in admitted.items()}
        told = {system: client_settings.librdkafka(one) for system, one in admitted.items()}
        self._producers = {
            system: Producer({**one["client"], **one["producer"]}) for system, one in told.items()
        }
        self._consumers = {
            system: Consumer({**one["client"], **one["consumer"]}) for system, one in told.items()
        }
        for system, consumer in self._consumers.items():
            consumer.subscribe(list(admitted[system].reads))

    def say(self, system: str, messages: Sequence[Said]) -> None:
        failed: list[Any] = []

        def told(error: Any, _: Any) -> None:
            failed.extend([error] if error else [])

        producer = self._producers[system]
        for one in messages:
            producer.produce(
                self._door[system], one.value, one.key, headers=dict(one.headers), on_delivery=told
            )
        assert producer.flush(SEND_SECONDS) == 0
        assert failed == []

    def hear(self) -> list[Heard]:
        found = []
        for system, consumer in self._consumers.items():
            for message in consumer.consume(100, HEAR_SECONDS):
                assert message.error() is None, message.error()
                headers = dict(message.headers())
                found.append(Heard(system, headers["ce_type"].decode(), message.value()))
        return found

    def close(self) -> None:
        for consumer in self._consumers.values():
            consumer.close()


class KafkaPython:
    """By its own defaults but for the group, where it begins, and its login."""

    def __init__(self, admitted: Mapping[str, Admission], folder: Path) -> None:
        del folder
        from kafka import KafkaConsumer, KafkaProducer

        self._door = {system: door_of(one) for system, one in admitted.items()}
        told = {system: self._told(one) for system, one in admitted.items()}
        self._producers = {system: KafkaProducer(**one) for system, one in told.items()}
        self._consumers = {
            system: KafkaConsumer(
                *one.reads,
                group_id=client_settings.group_of(one),
                auto_offset_reset="earliest",
                **told[system],
            )
            for system, one in admitted.items()
        }

    @staticmethod
    def _told(admitted: Admission) -> dict[str, Any]:
        address = kafka_address.parsed(admitted.address)
        told: dict[str, Any] = {"bootstrap_servers": address.servers}
        if address.user:
            told |= {
                "security_protocol": address.protocol,
                "sasl_mechanism": address.mechanism,
                "sasl_plain_username": address.user,
                "sasl_plain_password": address.password,
            }
        return told

    def say(self, system: str, messages: Sequence[Said]) -> None:
        answers = [
            self._producers[system].send(
                self._door[system],
                one.value,
                one.key.encode(),
                headers=[(name, value.encode()) for name, value in one.headers.items()],
            )
            for one in messages
        ]
        for answer in answers:
            answer.get(SEND_SECONDS)

    def hear(self) -> list[Heard]:
        return [
            Heard(system, dict(record.headers)["ce_type"].decode(), record.value)
            for system, consumer in self._consumers.items()
            for records in consumer.poll(round(HEAR_SECONDS * 1000)).values()
            for record in records
        ]

    def close(self) -> None:
        for consumer in self._consumers.values():
            consumer.close()
        for producer in self._producers.values():
            producer.close(10)


class KafkaJs:
    """A process of Node's, by the printed module of each login and lines of JSON: see `connected/kafkajs/client.js`."""

    def __init__(self, admitted: Mapping[str, Admission], folder: Path) -> None:
        assert NODE is not None
        with_kafkajs(folder)
        shutil.copy(KAFKAJS / "client.js", folder / "client.js")
        for system, one in admitted.items():
            (folder / f"{system}.js").write_text(client_settings.kafkajs(one) + "\n")
        self._door = {system: door_of(one) for system, one in admitted.items()}
        self._log = (folder / "client.log").open("wb")
        self._process = subprocess.Popen(
            (NODE, "client.js", *admitted),
            cwd=folder,
            env={**os.environ, "KAFKAJS_LOG_LEVEL": "error"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._heard: Queue[Heard] = Queue()
        self._sent: Queue[int] = Queue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if "sent" in told:
                self._sent.put(told["sent"])
            elif "system" in told:
                self._heard.put(Heard(told["system"], told["type"], told["value"].encode()))

    def say(self, system: str, messages: Sequence[Said]) -> None:
        told = [
            {"key": one.key, "value": one.value.decode(), "headers": dict(one.headers)} for one in messages
        ]
        assert self._process.stdin is not None
        line = {"system": system, "topic": self._door[system], "messages": told}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        assert self._sent.get(timeout=ANSWER_SECONDS) == len(messages)

    def hear(self) -> list[Heard]:
        found: list[Heard] = []
        with suppress(Empty):
            found.append(self._heard.get(timeout=HEAR_SECONDS))
            while True:
                found.append(self._heard.get_nowait())
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()
            self._reading.join(10)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._log.close()


def with_kafkajs(folder: Path) -> None:
    """Put kafkajs into this folder, as its lock file says."""
    assert NPM is not None
    for name in ("package.json", "package-lock.json"):
        shutil.copy(KAFKAJS / name, folder / name)
    subprocess.run((NPM, "ci", "--no-audit", "--no-fund", "--silent"), cwd=folder, check=True, timeout=120)


CLIENTS: Final = {"confluent-kafka": Confluent, "kafka-python": KafkaPython, "kafkajs": KafkaJs}


def here() -> Iterable[str]:
    """The clients that this machine has; kafkajs needs Node."""
    return [name for name in CLIENTS if name != "kafkajs" or (NODE and NPM)]
