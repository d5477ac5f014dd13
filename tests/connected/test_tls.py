"""A whole life while every word to Kafka and PostgreSQL is encrypted; and nobody is taken for a server who is none.

Kafka has a listener with TLS of its own. The PostgreSQL of the embedded stack is built without TLS. So a server before
it answers a request for encryption and hands on what it decrypts.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.city import making
from deploy.embedded import child
from deploy.embedded.kafka import Listener
from deploy.embedded.stack import Stack
from shared.events import ComplaintClosed, ComplaintDispatched, VisitScheduled
from shared.runtime import kafka_address, postgres_address
from shared.runtime.errors import UserError
from tests.certificates import Pair, authority, server
from tests.city import open_city
from tests.sources import Databases

pytestmark = pytest.mark.connected

ASKS: Final = (8).to_bytes(4) + (80877103).to_bytes(4)
"""PostgreSQL's SSLRequest: its length and its number."""


@asynccontextmanager
async def in_front_of_postgres(port: int, shows: Pair) -> AsyncIterator[int]:
    """A port that speaks PostgreSQL with TLS alone; each connection is one to this port behind it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(shows.certificate, shows.key)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ssl.SSLError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            if await reader.readexactly(8) != ASKS:
                writer.close()
                return
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context)
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(carry(reader, behind_writer), carry(behind_reader, writer))

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


async def test_a_life_is_lived_over_tls_and_another_authority_is_not_believed(tmp_path: Path) -> None:
    ours, other = authority(tmp_path), authority(tmp_path / "other")
    shows = server(tmp_path, ours, addresses=["127.0.0.1"])
    pem = tmp_path / "both.pem"
    pem.write_bytes(shows.key.read_bytes() + shows.certificate.read_bytes())
    port = child.free_ports(1)[0]
    listener = Listener("ENCRYPTED", port, port, pem)
    stack = Stack(
        tmp_path / "stack",
        durable=False,
        zipkin=False,
        kafka_heap_mb=384,
        die_with_parent=True,
        listeners=[listener],
    )
    try:
        addresses = await stack.up()
        behind = urlsplit(addresses.postgres).port
        assert behind is not None
        databases = Databases(addresses, making.migrate)
        async with (
            in_front_of_postgres(behind, shows) as encrypted,
            open_city(addresses, databases, tmp_path) as town,
        ):
            kafka = f"127.0.0.1:{port}?ca={ours.certificate}"

            def in_postgres(dsn: str, ca: Path = ours.certificate) -> str:
                at = postgres_address.moved(dsn, f"127.0.0.1:{encrypted}")
                return f"{at}?sslmode=verify-full&sslrootcert={ca}"

            plain = town.endpoints
            town.endpoints = replace(
                plain,
                logins={name: in_postgres(dsn) for name, dsn in plain.logins.items()},
                kafka_logins={
                    name: kafka_address.moved(login, kafka) for name, login in plain.kafka_logins.items()
                },
            )
            await making.migrate(in_postgres(plain.owner_dsn))  # by a program that is not ours
            await town.start()
            stream = await town.record("tls-1")
            await town.until_fact(stream, ComplaintDispatched)
            await town.sign(stream)
            await town.answer(stream)
            await town.until_fact(stream, VisitScheduled)
            await town.visit(stream)
            await town.until_fact(stream, ComplaintClosed)
            await town.stop()

            # Who shows another certificate is not spoken to.
            wrong = kafka_address.moved(plain.outside, f"127.0.0.1:{port}?ca={other.certificate}")
            producer = AIOKafkaProducer(**kafka_address.aiokafka(wrong))
            with pytest.raises(KafkaConnectionError):
                await producer.start()
            await producer.stop()
            with pytest.raises(KafkaException):
                AdminClient(kafka_address.librdkafka(wrong)).list_topics(timeout=3)
            with pytest.raises(ssl.SSLCertVerificationError):
                await asyncpg.connect(in_postgres(plain.login("reader"), other.certificate))
            with pytest.raises(UserError, match="certificate"):
                await making.migrate(in_postgres(plain.owner_dsn, other.certificate))
            # Nor does this listener take anybody in who does not encrypt.
            bare = kafka_address.moved(plain.outside, f"127.0.0.1:{port}")
            with pytest.raises(KafkaException):
                AdminClient(kafka_address.librdkafka(bare)).list_topics(timeout=3)
    finally:
        await stack.down()
        stack.wipe()
