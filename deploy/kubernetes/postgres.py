"""PostgreSQL by CloudNativePG: instances, a role for each login, a backup each night, and the job that migrates."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from deploy.city.endpoints import GRANTED
from deploy.kubernetes.names import CITY, PART_OF, POSTGRES, meta, role, role_secret
from deploy.kubernetes.workloads import ADDRESSES_OF_JOB, JOB_VOLUMES, container, pod
from deploy.processes import PREPARES

API: Final = "postgresql.cnpg.io/v1"
OWNER: Final = CITY
PARAMETERS: Final = {
    # A batch locks every stream it writes before it writes.
    "max_locks_per_transaction": "2048",
    "max_connections": "200",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "min_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
}
BACKUP_AT: Final = "0 30 19 * * *"
"""Seconds first; UTC: half past three in the city's night."""


def cluster() -> list[dict[str, Any]]:
    """The instances, their backup and roles: an owner who is no superuser could not make the migrations' roles."""
    groups = sorted({group for granted in GRANTED.values() for group in granted})
    return [
        {
            "apiVersion": API,
            "kind": "Cluster",
            "metadata": {"name": POSTGRES, "labels": PART_OF},
            "spec": {
                "instances": 3,
                "minSyncReplicas": 1,
                "maxSyncReplicas": 1,
                "primaryUpdateStrategy": "unsupervised",
                "storage": {"size": "200Gi"},
                "resources": {
                    "requests": {"cpu": "1", "memory": "4Gi"},
                    "limits": {"memory": "4Gi"},
                },
                "postgresql": {"parameters": PARAMETERS},
                "bootstrap": {
                    "initdb": {
                        "database": CITY,
                        "owner": OWNER,
                        "secret": {"name": role_secret("owner")},
                        "encoding": "UTF8",
                        "locale": "C",
                        "localeProvider": "builtin",
                        "builtinLocale": "C.UTF-8",
                    }
                },
                "managed": {"roles": [*(_group(group) for group in groups), *(_login(n) for n in GRANTED)]},
                "backup": {
                    "retentionPolicy": "30d",
                    "barmanObjectStore": {
                        "destinationPath": f"s3://{CITY}-backup/",
                        "endpointURL": "https://objects.example",
                        "s3Credentials": {
                            "accessKeyId": {"name": f"{CITY}-backup", "key": "ACCESS_KEY_ID"},
                            "secretAccessKey": {"name": f"{CITY}-backup", "key": "SECRET_ACCESS_KEY"},
                        },
                        "wal": {"compression": "gzip"},
                    },
                },
            },
        },
        {
            "apiVersion": API,
            "kind": "ScheduledBackup",
            "metadata": {"name": f"{POSTGRES}-nightly", "labels": PART_OF},
            "spec": {
                "schedule": BACKUP_AT,
                "cluster": {"name": POSTGRES},
                "method": "barmanObjectStore",
                "backupOwnerReference": "self",
            },
        },
    ]


def migration(relay_shards: int) -> dict[str, Any]:
    """The job that ends before new processes start. It is named by the newest migration: a job cannot change."""
    newest = max(
        file.name for file in files("deploy").joinpath("migrations").iterdir() if file.name[0].isdigit()
    )
    name = f"migrate-{newest.partition('_')[0]}-{relay_shards}"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta(name, of="migrate"),
        "spec": {
            "backoffLimit": 20,
            "template": pod(
                "migrate",
                container(
                    "migrate",
                    (PREPARES, "database"),
                    {**ADDRESSES_OF_JOB, "CITY_RELAY_SHARDS": str(relay_shards)},
                    volumes=JOB_VOLUMES,
                    memory_mb=128,
                ),
                JOB_VOLUMES,
                restart="OnFailure",
            ),
        },
    }


def _group(name: str) -> dict[str, Any]:
    return {"name": name, "ensure": "present", "login": False}


def _login(login: str) -> dict[str, Any]:
    return {
        "name": role(login),
        "ensure": "present",
        "login": True,
        "inRoles": list(GRANTED[login]),
        "passwordSecret": {"name": role_secret(login)},
    }
