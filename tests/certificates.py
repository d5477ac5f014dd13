"""Certificates that tests make themselves: an authority, and servers it vouches for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Pair(NamedTuple):
    """Two files in PEM."""

    certificate: Path
    key: Path


def authority(folder: Path, name: str = "authority") -> Pair:
    """A new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    made = _begun(subject, subject, key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    return _written(folder, name, made.sign(key, hashes.SHA256()), key)


def server(
    folder: Path, of: Pair, *, names: Sequence[str] = ("localhost",), addresses: Sequence[str] = ()
) -> Pair:
    """A server's certificate by this authority, for these names and addresses."""
    issuer = x509.load_pem_x509_certificate(of.certificate.read_bytes())
    signs = serialization.load_pem_private_key(of.key.read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    called = [x509.DNSName(name) for name in names] + [x509.IPAddress(ip_address(one)) for one in addresses]
    made = _begun(_name("server"), issuer.subject, key).add_extension(
        x509.SubjectAlternativeName(called), critical=False
    )
    return _written(folder, "server", made.sign(signs, hashes.SHA256()), key)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _written(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    folder.mkdir(parents=True, exist_ok=True)
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pair.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    pair.key.chmod(0o600)
    return pair
