"""Kafka by Strimzi: nodes, every topic of the table, and a user with its rights for each login and each unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from confluent_kafka.admin import AclOperation, ResourceType

from deploy.city.kafka_rights import PLAIN_LOGINS, PRINCIPALS, Grant, Login, granted, granted_to
from deploy.kubernetes.names import KAFKA, KAFKA_PORT, PART_OF, PREFIX, kafka_user
from shared import roles
from shared.runtime.topic_admin import settings
from shared.topic_names import names
from shared.topics import Topic

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
    AclOperation.DESCRIBE: "Describe",
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
    """Every topic that `deploy.city.making.make_topics` would make."""
    return [_topic(name, line) for name, line in names(PREFIX, units).items()]


def users(units: Iterable[str]) -> list[dict[str, Any]]:
    """Every login that a city has or that `hotline login add` would make, with the same rights."""
    logins = [*map(Login, PLAIN_LOGINS), *(Login(roles.UNIT, unit) for unit in units)]
    return [
        *(_user(name, granted(name, PREFIX)) for name in PRINCIPALS),
        *(_user(login.principal, granted_to(login, PREFIX)) for login in logins),
    ]


def let_in(login: Login) -> list[dict[str, Any]]:
    """The objects of one more login, as `hotline login add` would make it: its topics and its user."""
    used = login.topics_heard | login.topics_spoken
    made = [_topic(PREFIX + name, line) for name, line in used.items()]
    return [*made, _user(login.principal, granted_to(login, PREFIX))]


def object_name(topic: str) -> str:
    """A name for the object of a topic: a unit's id may hold a character that Kubernetes does not take."""
    return topic.replace("_", "-")


def _topic(name: str, line: Topic) -> dict[str, Any]:
    return {
        "apiVersion": API,
        "kind": "KafkaTopic",
        "metadata": {"name": object_name(name), "labels": OF_CLUSTER},
        "spec": {
            "topicName": name,
            "partitions": line.partitions,
            "config": settings(line, retention=True),
        },
    }


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
