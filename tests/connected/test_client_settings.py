"""The settings that `hotline login add` prints, typed in as they stand: by librdkafka, Java and kafkajs.

A system that starts for the first time hears what has waited for it, in a group it may use. Its words lie in the
partition where our own commands look for the same key.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Consumer, Producer

from deploy.city import client_settings, kafka_logins, making
from deploy.city.admission import Admission, admit, expel, listed, renew
from deploy.city.endpoints import CityEndpoints
from deploy.city.kafka_rights import Login
from deploy.embedded import parts
from deploy.embedded.stack import Addresses
from shared.roles import AGENTS, UNIT
from shared.runtime import kafka_address
from shared.runtime.errors import UserError
from shared.topic_names import partition_of
from tests.kafka_clients import NODE, NPM, with_kafkajs

pytestmark = pytest.mark.connected

CITY: Final = "letting_in"
STREET: Final = "street-a"
WAITING: Final = 32
KEYS: Final = [f"key-{number}".encode() for number in range(64)]
PATIENCE_SECONDS: Final = 400.0
JAVA: Final = shutil.which("java")


@pytest.fixture(scope="module")
async def guarded(stack: Addresses) -> AsyncIterator[CityEndpoints]:
    made = await making.create(stack, CITY, [STREET])
    yield made
    await asyncio.to_thread(kafka_logins.remove, stack.kafka, CITY)


@pytest.fixture
async def department(guarded: CityEndpoints) -> AsyncIterator[Admission]:
    """A department that is let in after orders were sent to it."""
    login = Login(UNIT, STREET)
    producer = AIOKafkaProducer(**kafka_address.aiokafka(guarded.kafka))
    await producer.start()
    try:
        for number in range(WAITING):
            await producer.send_and_wait(f"{CITY}.dispatch.orders.{STREET}", b"%d" % number)
    finally:
        await producer.stop()
    yield await admit(guarded, login)
    await expel(guarded, login)


@pytest.fixture
async def web(guarded: CityEndpoints) -> AsyncIterator[Admission]:
    """A web form with a topic of its own."""
    login = Login(AGENTS, "web")
    yield await admit(guarded, login)
    await expel(guarded, login)


async def partitions(kafka: str, topic: str) -> dict[bytes, int]:
    """Where each key of this topic lies."""

    def read() -> dict[bytes, int]:
        told = {**kafka_address.librdkafka(kafka), "group.id": "looks", "auto.offset.reset": "earliest"}
        consumer = Consumer(told)
        consumer.subscribe([topic])
        found: dict[bytes, int] = {}
        until = time.monotonic() + PATIENCE_SECONDS
        while len(found) < len(KEYS) and time.monotonic() < until:
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                found[bytes(message.key() or b"")] = int(message.partition() or 0)
        consumer.close()
        return found

    return await asyncio.to_thread(read)


async def placed_as_we_do(guarded: CityEndpoints) -> None:
    topic = f"{CITY}.intake.requests.web"
    assert await partitions(guarded.kafka, topic) == {key: partition_of(key, 4) for key in KEYS}


# -- librdkafka


async def test_a_new_department_of_librdkafkas_hears_what_waited(department: Admission) -> None:
    told = client_settings.librdkafka(department)

    def hear() -> list[bytes]:
        consumer = Consumer({**told["client"], **told["consumer"]})
        consumer.subscribe(list(department.reads))
        heard: list[bytes] = []
        until = time.monotonic() + PATIENCE_SECONDS
        while len(heard) < WAITING and time.monotonic() < until:
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                heard.append(bytes(message.value() or b""))
        consumer.close()
        return heard

    assert await asyncio.to_thread(hear) == [b"%d" % number for number in range(WAITING)]


async def test_a_client_of_librdkafkas_places_keys_as_our_commands_do(
    guarded: CityEndpoints, web: Admission
) -> None:
    told = client_settings.librdkafka(web)
    (topic,) = web.writes

    def speak() -> None:
        producer = Producer({**told["client"], **told["producer"]})
        for key in KEYS:
            producer.produce(topic, b"{}", key=key)
        assert producer.flush(PATIENCE_SECONDS) == 0

    await asyncio.to_thread(speak)
    await placed_as_we_do(guarded)


# -- kafkajs


async def _by_kafkajs(folder: Path, admitted: Admission, program: str) -> list[str]:
    """The lines that a program of these lines prints, which follow the printed module."""
    if NODE is None or NPM is None:
        pytest.skip("Node with npm is not on this machine, so kafkajs speaks for nobody")
    await asyncio.to_thread(with_kafkajs, folder)
    (folder / "settings.js").write_text(client_settings.kafkajs(admitted) + "\n")
    (folder / "program.js").write_text(f"(async () => {{\n{program}\n}})();\n")
    done = await asyncio.to_thread(
        subprocess.run,
        (NODE, "program.js"),
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    return [line for line in done.stdout.splitlines() if not line.startswith("{")]  # its log is JSON


async def test_a_new_department_of_kafkajs_hears_what_waited(department: Admission, tmp_path: Path) -> None:
    lines = await _by_kafkajs(
        tmp_path,
        department,
        f"""
        const {{ consumer, subscription }} = require("./settings.js");
        let left = {WAITING};
        await consumer.connect();
        await consumer.subscribe(subscription);
        await consumer.run({{ eachMessage: async ({{ message }}) => {{
          console.log(String(message.value));
          // It leaves the group: a client of another family cannot join one that has a member of this one.
          if (--left === 0) setTimeout(() => consumer.disconnect().then(() => process.exit(0)), 0);
        }} }});
        """,
    )
    assert lines == [str(number) for number in range(WAITING)]


async def test_a_client_of_kafkajs_places_keys_as_our_commands_do(
    guarded: CityEndpoints, web: Admission, tmp_path: Path
) -> None:
    (topic,) = web.writes
    messages = json.dumps([{"key": key.decode(), "value": "{}"} for key in KEYS])
    await _by_kafkajs(
        tmp_path,
        web,
        f"""
        const {{ producer }} = require("./settings.js");
        await producer.connect();
        await producer.send({{ topic: {json.dumps(topic)}, messages: {messages} }});
        await producer.disconnect();
        """,
    )
    await placed_as_we_do(guarded)


# -- Java

_HEARS = """
import java.io.*; import java.time.*; import java.util.*;
import org.apache.kafka.clients.consumer.*;
class Program {
  public static void main(String[] told) throws Exception {
    Properties settings = new Properties();
    settings.load(new FileReader(told[0]));
    String text = "org.apache.kafka.common.serialization.StringDeserializer";
    settings.put("key.deserializer", text); settings.put("value.deserializer", text);
    try (var consumer = new KafkaConsumer<String, String>(settings)) {
      consumer.subscribe(List.of(told[1]));
      long until = System.currentTimeMillis() + 50_000;
      for (int left = Integer.parseInt(told[2]); left > 0 && System.currentTimeMillis() < until;)
        for (var one : consumer.poll(Duration.ofMillis(200))) { System.out.println(one.value()); left--; }
    } catch (Exception error) { error.printStackTrace(); System.exit(1); }  // Java 17 fails to show it by itself
  }
}
"""
_SPEAKS = """
import java.io.*; import java.util.*; import java.util.zip.CRC32;
import org.apache.kafka.clients.producer.*;
class Program {
  public static void main(String[] told) throws Exception {
    Properties settings = new Properties();
    settings.load(new FileReader(told[0]));
    String bytes = "org.apache.kafka.common.serialization.ByteArraySerializer";
    settings.put("key.serializer", bytes); settings.put("value.serializer", bytes);
    try (var producer = new KafkaProducer<byte[], byte[]>(settings)) {
      int partitions = producer.partitionsFor(told[1]).size();
      for (String name : told[2].split(",")) {
        byte[] key = name.getBytes();
        CRC32 crc = new CRC32(); crc.update(key); int partition = (int) (crc.getValue() % partitions);
        producer.send(new ProducerRecord<>(told[1], partition, key, "{}".getBytes())).get();
      }
    } catch (Exception error) { error.printStackTrace(); System.exit(1); }
  }
}
"""


async def _by_java(folder: Path, properties: dict[str, str], source: str, *words: str) -> list[str]:
    modules = (
        subprocess.run((JAVA, "--list-modules"), capture_output=True, text=True, check=False)
        if JAVA
        else None
    )
    if modules is None or "jdk.compiler" not in modules.stdout:
        pytest.skip("a Java that compiles is not on this machine, so kafka-clients speaks for nobody")
    assert JAVA is not None
    (folder / "Program.java").write_text(source)
    (folder / "client.properties").write_text(
        "".join(f"{name}={value}\n" for name, value in properties.items())
    )
    jars = ":".join(str(jar) for jar in parts.kafka().paths())
    done = await asyncio.to_thread(
        subprocess.run,
        (JAVA, "-cp", jars, str(folder / "Program.java"), str(folder / "client.properties"), *words),
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


async def test_a_new_department_of_java_hears_what_waited(department: Admission, tmp_path: Path) -> None:
    told = client_settings.java(department)
    (topic,) = department.reads
    lines = await _by_java(tmp_path, told["client"] | told["consumer"], _HEARS, topic, str(WAITING))
    heard = [line for line in lines if line.isdecimal()]
    assert heard == [str(number) for number in range(WAITING)]


async def test_a_client_of_java_that_names_the_partition_places_keys_as_our_commands_do(
    guarded: CityEndpoints, web: Admission, tmp_path: Path
) -> None:
    told = client_settings.java(web)
    (topic,) = web.writes
    await _by_java(
        tmp_path, told["client"] | told["producer"], _SPEAKS, topic, ",".join(key.decode() for key in KEYS)
    )
    await placed_as_we_do(guarded)


# -- in and out


async def test_a_login_is_made_once_renewed_and_removed_and_each_refusal_says_what_to_type(
    guarded: CityEndpoints,
) -> None:
    dialler = Login("dialler")
    for refused in (renew, expel):
        with pytest.raises(UserError, match="no login dialler: .*`hotline login add dialler` makes it"):
            await refused(guarded, dialler)
    first = await admit(guarded, dialler)
    with pytest.raises(UserError, match="there already. `hotline login renew dialler`"):
        await admit(guarded, dialler)
    assert (await renew(guarded, dialler)).address != first.address
    assert dialler in await listed(guarded)
    await expel(guarded, dialler)
    assert dialler not in await listed(guarded)


async def test_where_the_admins_password_is_not_here_nobody_is_let_in(guarded: CityEndpoints) -> None:
    from dataclasses import replace

    poorer = replace(guarded, kafka=guarded.looks)
    with pytest.raises(UserError, match="whose password is not here"):
        await admit(poorer, Login("dialler"))
