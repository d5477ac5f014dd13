"""Seals for whoever holds a private key: by the public part alone, which opens nothing (decision 0059).

Everything is sealed under a key made for it, with AES-256-GCM, and bound to its complaint. That key is sealed to the
public key: a fresh X25519 key pair agrees with it on a key, which HKDF-SHA256 derives. So what is kept has the same
two parts as what the master key seals, and is shredded in the same way.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
"""AES-256, and both parts of a key pair of X25519."""
NONCE_BYTES: Final = 12
"""The nonce's size that GCM is made for; each key of a complaint seals once, the master key once a complaint."""
FINGERPRINT_BYTES: Final = 8
_PAIR: Final = b"hotline contacts key pair"
_AGREED: Final = b"hotline contacts agreed key"


class Sealed(NamedTuple):
    """Personal data of a complaint as it is kept."""

    contact: bytes
    key: bytes
    """The key of its own, under the master key or to the public key."""
    master: bytes
    """Which of the two, and which one: a fingerprint, 8 bytes."""


class SealingKey:
    """The public part: it seals, and nobody reads anything with it."""

    def __init__(self, public: bytes) -> None:
        """`public`: 32 bytes; any of them are a key."""
        self.public = public
        self._public = X25519PublicKey.from_public_bytes(public)
        self.fingerprint = sha256(b"hotline contacts public" + public).digest()[:FINGERPRINT_BYTES]

    def seal(self, complaint_id: str, plain: bytes, what: str = "contact") -> Sealed:
        """Seal for this complaint; `what` it is must be said again to open it."""
        own = AESGCM.generate_key(KEY_BYTES * 8)
        pair = X25519PrivateKey.generate()
        public = pair.public_key().public_bytes_raw()
        agreed = _agreed(pair.exchange(self._public), public, self.public)
        return Sealed(
            encrypted(AESGCM(own), plain, bound(what, complaint_id)),
            public + encrypted(agreed, own, bound("key", complaint_id)),
            self.fingerprint,
        )


class OpeningKey:
    """The private part. It follows from the master key, so it is kept, lost and copied with that one."""

    def __init__(self, master: bytes) -> None:
        """`master`: the 32 bytes of the master key."""
        derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_PAIR).derive(master)
        self._private = X25519PrivateKey.from_private_bytes(derived)
        self.sealing: Final = SealingKey(self._private.public_key().public_bytes_raw())

    def own_key(self, complaint_id: str, sealed: bytes) -> bytes:
        """The key that something of this complaint is sealed under; `InvalidTag` where it was not sealed to us."""
        public, rest = sealed[:KEY_BYTES], sealed[KEY_BYTES:]
        try:
            shared = self._private.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError:  # too short, or a point on which everybody agrees
            raise InvalidTag from None
        return decrypted(_agreed(shared, public, self.sealing.public), rest, bound("key", complaint_id))


def _agreed(shared: bytes, one: bytes, other: bytes) -> AESGCM:
    key = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_AGREED + one + other).derive(shared)
    return AESGCM(key)


def bound(what: str, complaint_id: str) -> bytes:
    """So that what is sealed for one complaint cannot be laid under another."""
    return f"{what} of {complaint_id}".encode()


def encrypted(cipher: AESGCM, plain: bytes, context: bytes) -> bytes:
    """The nonce, and behind it the text that only the same key and context read."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, context)


def decrypted(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes:
    """The text; `InvalidTag` where it was sealed under another key or in another context."""
    if len(sealed) < NONCE_BYTES:
        raise InvalidTag
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
