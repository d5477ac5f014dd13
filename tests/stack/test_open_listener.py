"""Kafka answers on loopback alone; by settings it has one port more, with TLS and a login, for other machines."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.city import client_settings, making
from deploy.city.admission import admit
from deploy.city.kafka_rights import Login
from deploy.embedded import child
from deploy.embedded.errors import StackError
from deploy.embedded.open_listener import Settings, listeners, reached
from deploy.embedded.stack import Stack
from deploy.embedded.state import read_state
from tests.certificates import authority, server

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 -- nothing is opened on it here
ELSEWHERE: Final = "127.0.0.2"
"""A loopback address that is not the one Kafka answers on by default: it stands for another network."""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    ours = authority(tmp_path)
    shows = server(tmp_path, ours, addresses=[ELSEWHERE])
    pem = tmp_path / "both.pem"
    pem.write_bytes(shows.key.read_bytes() + shows.certificate.read_bytes())
    return {"certificate": pem, "authority": ours.certificate}


def test_without_settings_there_is_no_port_for_other_machines(tmp_path: Path) -> None:
    assert listeners(Settings()) == []
    assert reached(tmp_path, Settings()) == ""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"listen": EVERYWHERE}, "HOTLINE_KAFKA_LISTEN: '0.0.0.0', expected HOST:PORT"),
        ({"listen": f"{EVERYWHERE}:99999"}, "HOTLINE_KAFKA_LISTEN: '0.0.0.0:99999', expected HOST:PORT"),
        (
            {"listen": f"{EVERYWHERE}:9093"},
            "HOTLINE_KAFKA_ADVERTISED: expected the HOST:PORT by which clients",
        ),
        ({"advertised": "kafka"}, "HOTLINE_KAFKA_ADVERTISED: 'kafka', expected HOST:PORT"),
        ({"certificate": None}, "HOTLINE_KAFKA_CERTIFICATE: expected a PEM file"),
        ({"authority": None}, "HOTLINE_KAFKA_AUTHORITY: expected a PEM file"),
        ({"certificate": Path("nowhere.pem")}, "HOTLINE_KAFKA_CERTIFICATE: there is no file nowhere.pem"),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, dict) else "",
)
def test_what_cannot_be_is_refused_before_kafka_starts(
    files: dict[str, Path], wrong: dict[str, Any], said: str
) -> None:
    told: dict[str, Any] = {"listen": f"{ELSEWHERE}:9093", **files, **wrong}
    with pytest.raises(StackError) as refused:
        listeners(Settings(**told))
    assert str(refused.value).startswith(said)


@pytest.mark.connected
async def test_a_system_on_another_machine_logs_in_over_tls_with_the_printed_settings(
    files: dict[str, Path], tmp_path: Path
) -> None:
    told = Settings(listen=f"{ELSEWHERE}:{child.free_ports(1)[0]}", **files)  # type: ignore[arg-type]
    stack = Stack(
        tmp_path / "stack",
        durable=False,
        zipkin=False,
        kafka_heap_mb=256,
        die_with_parent=True,
        listeners=listeners(told),
    )
    try:
        addresses = await stack.up(lambda _: None)
        made = await making.create(addresses, "far", [])
        far = replace(made, reached=reached(tmp_path / "stack", told))
        printed = client_settings.librdkafka(await admit(far, Login("dialler")))["client"]
        assert printed["bootstrap.servers"] == told.listen
        assert printed["security.protocol"] == "SASL_SSL"
        topics = await asyncio.to_thread(AdminClient({**printed, "log_level": 0}).list_topics, timeout=30)
        assert set(topics.topics) == {
            "far.feedback.visits", "far.feedback.visit-results", "far.feedback.results",
        }  # fmt: skip
        assert {f"{one.host}:{one.port}" for one in topics.brokers.values()} == {told.listen}

        for bad in (
            {"security.protocol": "SASL_PLAINTEXT"},
            {"sasl.password": "wrong"},
            {"ssl.ca.location": str(authority(tmp_path / "other").certificate)},
        ):
            admin = AdminClient({**printed, **bad, "log_level": 0})
            with pytest.raises(KafkaException):
                await asyncio.to_thread(admin.list_topics, timeout=3)

        kafka = read_state(stack.folder).running["kafka"].pid
        heard = {
            one.laddr.ip.removeprefix("::ffff:")
            for one in psutil.Process(kafka).net_connections(kind="tcp")
            if one.status == psutil.CONN_LISTEN
        }
        assert heard == {"127.0.0.1", ELSEWHERE}
        (stack.folder / "server.properties").write_text("")
        with pytest.raises(StackError, match="started without the port"):
            reached(stack.folder, told)
    finally:
        await stack.down()
        stack.wipe()
