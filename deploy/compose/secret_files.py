"""The secrets of a compose file: a file each, made once; what is there already stays as it is."""

from __future__ import annotations

import secrets
from base64 import b64encode
from pathlib import Path
from typing import Final

from deploy.city.registry import CALLERS_KEY_FILE, CONTACTS_KEY_FILE, CONTACTS_PUBLIC_FILE
from deploy.compose.services import KAFKA_PORT, OIDC_SECRET, SETTINGS_OF_KAFKA, secret_names
from shared.contacts.details import public_part

KEY_BYTES: Final = 32
_OF_OTHERS: Final = {SETTINGS_OF_KAFKA, CONTACTS_PUBLIC_FILE}
"""They hold something of other secrets, so they are made last: the admin's password, the public part of a key."""
_SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required"
_PLAIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"
KAFKA: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
listeners=CLIENT://0.0.0.0:{port},CONTROLLER://127.0.0.1:9093
advertised.listeners=CLIENT://{host}:{port}
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
log.dirs=/var/lib/kafka/data
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.client.scram-sha-512.sasl.jaas.config={scram};
listener.name.client.plain.sasl.jaas.config={plain} username="broker" password="{broker}" \
user_broker="{broker}" user_admin="{admin}";
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain} username="node" password="{node}" user_node="{node}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:broker;User:node
allow.everyone.if.no.acl.found=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
"""


def make(folder: Path, *, host: str = "kafka") -> list[str]:
    """Make the secrets that are missing; returns their names. `host`: the name by which clients reach Kafka.

    A container's own user reads them through a mount, so the files are open and their folder is closed.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    missing = [name for name in secret_names() if not (folder / name).exists()]
    for name in sorted(missing, key=lambda name: name in _OF_OTHERS):
        content = _content(folder, name, host)
        (folder / name).write_text(content, encoding="utf-8")
        (folder / name).chmod(0o644)
    return missing


def _content(folder: Path, name: str, host: str) -> str:
    if name == SETTINGS_OF_KAFKA:
        return KAFKA.format(
            port=KAFKA_PORT,
            host=host,
            scram=_SCRAM,
            plain=_PLAIN,
            admin=(folder / "kafka-admin").read_text(encoding="utf-8"),
            broker=secrets.token_urlsafe(24),
            node=secrets.token_urlsafe(24),
        )
    if name == CONTACTS_PUBLIC_FILE:
        return public_part((folder / CONTACTS_KEY_FILE).read_text(encoding="utf-8"))
    if name == OIDC_SECRET:
        return ""
    if name in {CONTACTS_KEY_FILE, CALLERS_KEY_FILE}:
        return b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return secrets.token_urlsafe(24)
