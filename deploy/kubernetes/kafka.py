"""Kafka by Strimzi: nodes, every topic of the table, and a user with its rights for each login and each unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from confluent_kafka.admin import AclOperation, ResourceType

from deploy.city import kafka_logins
from deploy.city.kafka_logins import Grant
from deploy.kubernetes.names import KAFKA, KAFKA_PORT, PART_OF, PREFIX, kafka_user
from shared.runtime.topic_admin import settings
from shared.topic_names import names

API: Final = "kafka.strimzi.io/v1"
OF_CLUSTER: Final = {"strimzi.io/cluster": KAFKA, **PART_OF}
CONFIG: Final = {
    "auto.create.topics.enable": False,  # topics are made from the table of topics, never by a misspelt name
    "default.replication.factor": 3,
    "min.insync.replicas": 2,
    "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3,
    "transaction.state.log.min.isr": 2,
    "share.coordinator.state.topic.replication.factor": 3,
    "share.coordinator.state.topic.min.isr": 2,
}
_RESOURCES: Final = {ResourceType.TOPIC: "topic", ResourceType.GROUP: "group"}
_OPERATIONS: Final = {
    AclOperation.READ: "Read",
    AclOperation.WRITE: "Write",
    AclOperation.CREATE: "Create",
}


def cluster() -> list[dict[str, Any]]:
    """The nodes, each a broker and a controller, and what they ask of clients: TLS and a login."""
    return [
        {
            "apiVersion": API,
            "kind": "KafkaNodePool",
            "metadata": {"name": "node", "labels": OF_CLUSTER},
            "spec": {
                "replicas": 3,
                "roles": ["broker", "controller"],
                "resources": {
                    "requests": {"cpu": "500m", "memory": "2Gi"},
                    "limits": {"memory": "2Gi"},
                },
                "storage": {
                    "type": "jbod",
                    "volumes": [
                        {"id": 0, "type": "persistent-claim", "size": "100Gi", "kraftMetadata": "shared"}
                    ],
                },
            },
        },
        {
            "apiVersion": API,
            "kind": "Kafka",
            "metadata": {"name": KAFKA, "labels": PART_OF},
            "spec": {
                "kafka": {
                    "listeners": [
                        {
                            "name": "tls",
                            "port": KAFKA_PORT,
                            "type": "internal",
                            "tls": True,
                            "authentication": {"type": "scram-sha-512"},
                        }
                    ],
                    "authorization": {"type": "simple"},
                    "config": CONFIG,
                },
                "entityOperator": {"topicOperator": {}, "userOperator": {}},
            },
        },
    ]


def topics(units: Iterable[str]) -> list[dict[str, Any]]:
    """Every topic that `deploy.city.city.make_topics` would make."""
    return [
        {
            "apiVersion": API,
            "kind": "KafkaTopic",
            "metadata": {"name": object_name(name), "labels": OF_CLUSTER},
            "spec": {
                "topicName": name,
                "partitions": line.partitions,
                "config": settings(line, retention=True),
            },
        }
        for name, line in names(PREFIX, units).items()
    ]


def users(units: Iterable[str]) -> list[dict[str, Any]]:
    """Every login that `deploy.city.kafka_logins` would make, with the same rights."""
    central = [_user(name, kafka_logins.granted(name, PREFIX)) for name in kafka_logins.PRINCIPALS]
    return central + [_user(f"unit-{unit}", kafka_logins.granted_unit(unit, PREFIX)) for unit in units]


def object_name(topic: str) -> str:
    """A name for the object of a topic: a unit's id may hold a character that Kubernetes does not take."""
    return topic.replace("_", "-")


def _user(name: str, grants: Sequence[Grant]) -> dict[str, Any]:
    by_resource: dict[tuple[str, str, str], list[str]] = {}
    for grant in dict.fromkeys(grants):
        at = (_RESOURCES[grant.what], grant.name, "prefix" if grant.prefixed else "literal")
        by_resource.setdefault(at, []).append(_OPERATIONS[grant.may])
    return {
        "apiVersion": API,
        "kind": "KafkaUser",
        "metadata": {"name": kafka_user(name), "labels": OF_CLUSTER},
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {
                "type": "simple",
                "acls": [
                    {
                        "resource": {"type": what, "name": of, "patternType": pattern},
                        "operations": may,
                        "host": "*",
                    }
                    for (what, of, pattern), may in by_resource.items()
                ],
            },
        },
    }
