"""Addresses with logins, passwords in files, and what each client is told of them."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.intake.settings import Settings
from shared.runtime import kafka_address, postgres_address
from tests.certificates import authority


def test_an_address_is_put_together_as_it_is_taken_apart(tmp_path: Path) -> None:
    for text in (
        "host:1",
        "host:1,other:2",
        "user:p%40ss@host:1",
        "user:pass@host:1?mechanism=PLAIN",
        "user:pass@host:1?ca=/a/b.pem",
        "user:pass@host:1?mechanism=PLAIN&ca=/a/b.pem",
    ):
        address = kafka_address.parsed(text)
        if address.user:
            assert kafka_address.with_login(text, address.user, address.password, address.mechanism) == text
        assert kafka_address.without_login(text).startswith("host:1")
    with pytest.raises(ValueError, match="tls after the"):
        kafka_address.parsed("host:1?tls=yes")


def test_every_client_is_told_to_encrypt_where_the_address_names_certificates(tmp_path: Path) -> None:
    ca = authority(tmp_path).certificate
    plain = f"host:1?ca={ca}"
    assert kafka_address.parsed(plain).protocol == "SSL"
    told = kafka_address.aiokafka(f"user:pass@host:1?ca={ca}")
    assert told["security_protocol"] == "SASL_SSL"
    assert told["ssl_context"].verify_mode == ssl.CERT_REQUIRED
    assert told["ssl_context"].check_hostname
    told = kafka_address.librdkafka(f"user:pass@host:1?ca={ca}")
    assert (told["security.protocol"], told["ssl.ca.location"]) == ("SASL_SSL", str(ca))
    assert "security_protocol" not in kafka_address.aiokafka("host:1")
    assert kafka_address.moved("user:pass@host:1", f"other:2?ca={ca}") == f"user:pass@other:2?ca={ca}"


def test_a_password_in_a_file_stands_in_the_address(tmp_path: Path) -> None:
    for name, content in (("kafka", "a b/@:\n"), ("postgres", "c%d?#\n")):
        (tmp_path / name).write_text(content)
    settings = Settings(
        kafka="me@host:1?ca=/x",
        kafka_password_file=str(tmp_path / "kafka"),
        postgres="postgresql://me@host/db?sslmode=verify-full",
        postgres_password_file=str(tmp_path / "postgres"),
    )
    assert kafka_address.parsed(settings.kafka) == ("host:1", "me", "a b/@:", "SCRAM-SHA-512", "/x")
    assert settings.postgres == "postgresql://me:c%25d%3F%23@host/db?sslmode=verify-full"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"kafka": "host:1"}, "expected USER@HOST:PORT"),
        ({"postgres": "postgresql://host/db"}, "expected postgresql://USER@HOST/DATABASE"),
        (
            {"kafka_password_file": "/is/not/there"},
            "/is/not/there does not exist: expected a secret in UTF-8",
        ),
        ({"postgres_password_file": "/dev/null"}, "/dev/null is empty: expected a secret in UTF-8"),
        ({"kafka_password_file": "/usr"}, "/usr is a folder: expected a secret in UTF-8"),
    ],
)
def test_a_password_that_cannot_be_put_in_is_said(tmp_path: Path, told: dict[str, str], why: str) -> None:
    (tmp_path / "password").write_text("secret")
    good = {
        "kafka": "me@host:1",
        "postgres": "postgresql://me@host/db",
        "kafka_password_file": str(tmp_path / "password"),
        "postgres_password_file": str(tmp_path / "password"),
    }
    Settings(**good)
    with pytest.raises(ValidationError, match=why):
        Settings(**good | told)


def test_only_an_address_that_says_nothing_of_encryption_is_told_that_none_is_asked() -> None:
    bare = "postgresql://me:pass@host/db"
    assert postgres_address.saying_how(bare) == f"{bare}?sslmode=disable"
    assert postgres_address.saying_how(f"{bare}?sslmode=require") == f"{bare}?sslmode=require"
    assert postgres_address.saying_how(f"{bare}?a=b") == f"{bare}?a=b&sslmode=disable"
