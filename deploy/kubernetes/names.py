"""Names of a city's objects, the labels they wear, and the addresses that processes are told."""

from __future__ import annotations

from typing import Any, Final

CITY: Final = "hotline"
"""The city: the names of its database, its Kafka and its objects. Another city has a namespace of its own."""
PREFIX: Final = ""
"""The prefix of this city's topics (`deploy.city.endpoints.prefix_of`)."""
IMAGE: Final = "hotline"
"""The image as the manifests name it; `images:` of a kustomization says where yours lies."""
PART_OF: Final = {"app.kubernetes.io/part-of": CITY}
KAFKA: Final = CITY
POSTGRES: Final = f"{CITY}-postgres"
KAFKA_PORT: Final = 9093
POSTGRES_PORT: Final = 5432
KAFKA_CA: Final = f"{KAFKA}-cluster-ca-cert"
"""Strimzi keeps the certificate of its own authority in this secret."""
POSTGRES_CA: Final = f"{POSTGRES}-ca"
"""CloudNativePG the same."""
TARGETS: Final = f"{CITY}-targets"
"""The list of the processes whose metrics the operations page reads."""
TARGETS_FILE: Final = "targets.json"
SECRETS: Final = "/run/secrets"
USER: Final = 10001
DNS_PORT: Final = 53
COLLECTOR_NAMESPACE: Final = "observability"
COLLECTOR_PORT: Final = 4318
KAFKA_ADDRESS: Final = f"{KAFKA}-kafka-bootstrap:{KAFKA_PORT}?ca={SECRETS}/kafka-ca/ca.crt"
POSTGRES_ADDRESS: Final = (
    f"{POSTGRES}-rw:{POSTGRES_PORT}/{CITY}?sslmode=verify-full&sslrootcert={SECRETS}/postgres-ca/ca.crt"
)
"""Behind `postgresql://LOGIN@`."""


def labels(name: str) -> dict[str, str]:
    """The labels of an object of this process, by which it is found."""
    return {"app.kubernetes.io/name": name, **PART_OF}


def meta(name: str, **more: Any) -> dict[str, Any]:
    """The metadata of an object."""
    return {"name": name, "labels": labels(more.pop("of", name)), **more}


def kafka_user(principal: str) -> str:
    """A login in Kafka, as the embedded stack calls it; Strimzi keeps its password in the secret of that name."""
    return f"{CITY}-{principal}"


def role(login: str) -> str:
    """A login in PostgreSQL, as `make_logins` calls it."""
    return f"{CITY}_{login}_login"


def role_secret(login: str) -> str:
    """The secret with the password of a login in PostgreSQL."""
    return f"{POSTGRES}-{login}"
