"""A citizen's contact details: their form, how they are sealed, and how they are masked.

They are in no fact, no topic, no log line and no text of an error. The schema `vault` keeps them, sealed
under a key of their complaint. That key is itself sealed under the master key. Without the master key nobody
reads any contact. Without its own key nobody reads this one ever again.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.characters import first_unprintable, named
from shared.text import folded, has_words
from shared.text_file import FileUnreadable, text_of
from shared.wording import wordless

KEY_BYTES: Final = 32
"""AES-256."""
NONCE_BYTES: Final = 12
"""The nonce's size that GCM is made for; each key of a complaint seals once, the master key once a complaint."""
NAME_MAX: Final = 100
DIGITS_MIN: Final = 5
DIGITS_MAX: Final = 20
"""Of a phone number."""
_PHONE: Final = re.compile(rf"\+?[0-9](?:[ -]?[0-9]){{{DIGITS_MIN - 1},{DIGITS_MAX - 1}}}")
_IN_A_NUMBER: Final = frozenset("+0123456789 -")
_AMISS_IN_A_NUMBER: Final = re.compile(r"(?<!^)\+|(?<=[ -])[ -]|(?<=\+)[ -]|^[ -]|[ -]$")


class ContactInvalid(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """A contact cannot be kept as given; names the field, what was expected, and the one character in the way."""


class CannotUnseal(Exception):  # noqa: N818 -- a key that is missing or wrong, not our failure
    """The sealed contact cannot be read with this master key."""


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The citizen's name, and how the citizen is reached."""

    name: str
    phone: str
    callback: str | None = None
    """Where he wants to be called back, if elsewhere."""

    def __repr__(self) -> str:
        """Nothing of it: what is printed or logged by accident tells nobody."""
        return "Contact(…)"

    def masked(self) -> Contact:
        """The first character of the name and the last two digits of the numbers, whatever their lengths."""
        return Contact(
            name=self.name[:1] + "**",
            phone=_last_two(self.phone),
            callback=None if self.callback is None else _last_two(self.callback),
        )


def _last_two(number: str) -> str:
    return "*" * 9 + number[-2:]


def contact_of(name: str, phone: str, callback: str | None = None) -> Contact:
    """A contact as an agent took it down; `ContactInvalid` where a field is not what it must be."""
    name = name.strip()
    expected = f"expected 1 to {NAME_MAX} printable characters"
    if (which := first_unprintable(name)) is not None:
        raise ContactInvalid(f"name: {expected}; {which}")
    if not 1 <= len(name) <= NAME_MAX:
        raise ContactInvalid(f"name: {expected}; it has {len(name):,}")
    if not has_words(name):
        raise ContactInvalid(f"name: {expected}; {wordless(name)}")
    return Contact(
        name=name,
        phone=telephone_number("phone", phone),
        callback=telephone_number("callback", callback) if callback else None,
    )


def telephone_number(field: str, text: str) -> str:
    """A telephone number as it is kept; `ContactInvalid` names the field where the text is none."""
    text = folded(text)
    if not _PHONE.fullmatch(text):
        expected = "expected 5 to 20 digits from 0 to 9, a + before them, single blanks or - between them"
        raise ContactInvalid(f"{field}: {expected}; {_why_no_number(text)}")
    return text


def _why_no_number(text: str) -> str:
    """Which character stands in the way, and why; of the number itself nothing is said."""
    for place, character in enumerate(text, start=1):
        if character in _IN_A_NUMBER:
            continue
        why = first_unprintable(character)
        if why is None:
            why = f"character 1 is {named(character)}: " + (
                "a digit of another script or width" if character.isnumeric() else "it stands in no number"
            )
        return why.replace("character 1", f"character {place}", 1)
    digits = sum(character.isdecimal() for character in text)
    if not DIGITS_MIN <= digits <= DIGITS_MAX:
        return f"it has {digits:,} digits"
    wrong = _AMISS_IN_A_NUMBER.search(text)
    place = 1 if wrong is None else wrong.start() + 1
    return f"character {place} is {named(text[place - 1])}: it must not stand there"


class Sealed(NamedTuple):
    """A contact as it is kept."""

    contact: bytes
    key: bytes
    """The complaint's own key, under the master key."""
    master: bytes
    """Which master key that is: a fingerprint, 8 bytes."""


class MasterKey:
    """The key that all keys of complaints are sealed under."""

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes that nobody can guess."""
        self._cipher = AESGCM(key)
        self.fingerprint = sha256(b"hotline contacts" + key).digest()[:8]

    def seal(self, complaint_id: str, contact: Contact) -> Sealed:
        """Seal for this complaint, under a key made for it."""
        own = AESGCM.generate_key(KEY_BYTES * 8)
        plain = msgspec.json.encode(contact)
        return Sealed(
            _sealed(AESGCM(own), plain, _bound("contact", complaint_id)),
            _sealed(self._cipher, own, _bound("key", complaint_id)),
            self.fingerprint,
        )

    def unseal(self, complaint_id: str, sealed: Sealed) -> Contact:
        """The contact sealed for this complaint; `CannotUnseal` where it was not, or under another master key."""
        if sealed.master != self.fingerprint:
            raise CannotUnseal(
                f"the contact of complaint {complaint_id} is sealed under master key {sealed.master.hex()}, "
                f"this is {self.fingerprint.hex()}"
            )
        try:
            own = _unsealed(self._cipher, sealed.key, _bound("key", complaint_id))
            return msgspec.json.decode(
                _unsealed(AESGCM(own), sealed.contact, _bound("contact", complaint_id)), type=Contact
            )
        except InvalidTag:
            raise CannotUnseal(
                f"the contact of complaint {complaint_id} is not what was sealed for it"
            ) from None


def _bound(what: str, complaint_id: str) -> bytes:
    """So that what is sealed for one complaint cannot be laid under another."""
    return f"{what} of {complaint_id}".encode()


def _sealed(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _unsealed(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)


def new_key() -> str:
    """A key as it is written down: 32 random bytes in Base64."""
    return b64encode(AESGCM.generate_key(KEY_BYTES * 8)).decode()


def master_key(text: str, file: str) -> MasterKey | None:
    """The key as it is written down, else the one in the file; None where neither is named.

    `ContactInvalid` where it is none or the file cannot be read, `FileNotFoundError` where there is no such file.
    """
    key = key_written(text, file, "the contacts' master key")
    return None if key is None else MasterKey(key)


def key_written(text: str, file: str, what: str) -> bytes | None:
    """The bytes of a key, as `master_key`; `what` names it where its file cannot be read."""
    if not text and not file:
        return None
    if not text and not Path(file).exists():
        raise FileNotFoundError(file)
    try:
        written = text or text_of(file, what)
    except FileUnreadable as error:
        raise ContactInvalid(str(error)) from None
    try:
        key = b64decode(written.strip(), validate=True)
    except (NotBase64, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        where = what if text else file
        raise ContactInvalid(f"{where}: expected {KEY_BYTES} bytes in Base64")
    return key
