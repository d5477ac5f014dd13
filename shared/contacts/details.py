"""A citizen's contact details: their form, how they are sealed, and how they are masked.

They are in no fact, no topic, no log line and no text of an error. The schema `vault` keeps them, sealed
under a key of their complaint. That key is itself sealed under the master key. Without the master key nobody
reads any contact. Without its own key nobody reads this one ever again.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.characters import first_unprintable, named
from shared.contacts.sealing import (
    FINGERPRINT_BYTES,
    KEY_BYTES,
    OpeningKey,
    Sealed,
    SealingKey,
    bound,
    decrypted,
    encrypted,
)
from shared.text import folded, has_words
from shared.text_file import FileUnreadable, text_of
from shared.wording import wordless

NAME_MAX: Final = 100
ADDRESS_MAX: Final = 400
EMAIL_MAX: Final = 254
"""Characters of an address of e-mail that any server takes (RFC 5321)."""
DIGITS_MIN: Final = 5
DIGITS_MAX: Final = 20
"""Of a phone number."""
_PHONE: Final = re.compile(rf"\+?[0-9](?:[ -]?[0-9]){{{DIGITS_MIN - 1},{DIGITS_MAX - 1}}}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_IN_A_NUMBER: Final = frozenset("+0123456789 -")
_AMISS_IN_A_NUMBER: Final = re.compile(r"(?<!^)\+|(?<=[ -])[ -]|(?<=\+)[ -]|^[ -]|[ -]$")


class ContactInvalid(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """A contact cannot be kept as given; names the field, what was expected, and the one character in the way."""


class CannotUnseal(Exception):  # noqa: N818 -- a key that is missing or wrong, not our failure
    """The sealed contact cannot be read with this master key."""


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The citizen's name, and how the citizen is reached.

    An agent takes down a name and a phone. Over HTTP a citizen may give any of the fields.
    """

    name: str = ""
    phone: str = ""
    callback: str | None = None
    """Where he wants to be called back, if elsewhere."""
    email: str | None = None
    address: str | None = None
    """Where he lives; the place that the complaint is about is no contact."""

    def __repr__(self) -> str:
        """Nothing of it: what is printed or logged by accident tells nobody."""
        return "Contact(…)"

    def masked(self) -> Contact:
        """The first character of each field, the last two digits of the numbers, whatever their lengths."""
        return Contact(
            name=self.name[:1] + "**" if self.name else "",
            phone=_last_two(self.phone) if self.phone else "",
            callback=None if self.callback is None else _last_two(self.callback),
            email=None if self.email is None else f"{self.email[:1]}**@**",
            address=None if self.address is None else f"{self.address[:1]}**",
        )


def _last_two(number: str) -> str:
    return "*" * 9 + number[-2:]


def contact_of(name: str, phone: str, callback: str | None = None) -> Contact:
    """A contact as an agent took it down; `ContactInvalid` where a field is not what it must be."""
    return Contact(
        name=_words("name", name, NAME_MAX),
        phone=telephone_number("phone", phone),
        callback=telephone_number("callback", callback) if callback else None,
    )


def contact_given(
    *, name: str = "", phone: str = "", callback: str = "", email: str = "", address: str = ""
) -> Contact:
    """A contact as a citizen gave it, with one field at least; `ContactInvalid` as `contact_of`."""
    if not any((name, phone, callback, email, address)):
        message = "contact: expected one field at least"
        raise ContactInvalid(message)
    return Contact(
        name=_words("name", name, NAME_MAX) if name else "",
        phone=telephone_number("phone", phone) if phone else "",
        callback=telephone_number("callback", callback) if callback else None,
        email=_email(email) if email else None,
        address=_words("address", address, ADDRESS_MAX) if address else None,
    )


def _words(field: str, text: str, most: int) -> str:
    text = text.strip()
    expected = f"expected 1 to {most} printable characters"
    if (which := first_unprintable(text)) is not None:
        raise ContactInvalid(f"{field}: {expected}; {which}")
    if not 1 <= len(text) <= most:
        raise ContactInvalid(f"{field}: {expected}; it has {len(text):,}")
    if not has_words(text):
        raise ContactInvalid(f"{field}: {expected}; {wordless(text)}")
    return text


def _email(text: str) -> str:
    text = _words("email", text, EMAIL_MAX)
    if not _EMAIL.fullmatch(text):
        message = "email: expected a name, one @ and a domain, without blanks"
        raise ContactInvalid(message)
    return text


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


class MasterKey:
    """The key that all keys of complaints are sealed under."""

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes that nobody can guess."""
        self._cipher = AESGCM(key)
        self._opening = OpeningKey(key)
        self.fingerprint = sha256(b"hotline contacts" + key).digest()[:FINGERPRINT_BYTES]

    @property
    def sealing(self) -> SealingKey:
        """The public part of the key pair that follows from it."""
        return self._opening.sealing

    def seal(self, complaint_id: str, contact: Contact) -> Sealed:
        """Seal for this complaint, under a key made for it."""
        own = AESGCM.generate_key(KEY_BYTES * 8)
        return Sealed(
            encrypted(AESGCM(own), msgspec.json.encode(contact), bound("contact", complaint_id)),
            encrypted(self._cipher, own, bound("key", complaint_id)),
            self.fingerprint,
        )

    def unseal(self, complaint_id: str, sealed: Sealed) -> Contact:
        """The contact sealed for this complaint, by this key or to its public part.

        `CannotUnseal` where it was not, or under another master key.
        """
        return msgspec.json.decode(self.opened(complaint_id, sealed), type=Contact)

    def opened(self, complaint_id: str, sealed: Sealed, what: str = "contact") -> bytes:
        """The plain bytes that were sealed for this complaint, as `unseal`; `what` they were said to be."""
        try:
            if sealed.master == self.fingerprint:
                own = decrypted(self._cipher, sealed.key, bound("key", complaint_id))
            elif sealed.master == self.sealing.fingerprint:
                own = self._opening.own_key(complaint_id, sealed.key)
            else:
                raise CannotUnseal(
                    f"the {what} of complaint {complaint_id} is sealed under master key {sealed.master.hex()}, "
                    f"this is {self.fingerprint.hex()}"
                )
            return decrypted(AESGCM(own), sealed.contact, bound(what, complaint_id))
        except (InvalidTag, ValueError):  # a key of another length than any of ours
            raise CannotUnseal(
                f"the {what} of complaint {complaint_id} is not what was sealed for it"
            ) from None


def new_key() -> str:
    """A key as it is written down: 32 random bytes in Base64."""
    return b64encode(AESGCM.generate_key(KEY_BYTES * 8)).decode()


def master_key(text: str, file: str) -> MasterKey | None:
    """The key as it is written down, else the one in the file; None where neither is named.

    `ContactInvalid` where it is none or the file cannot be read, `FileNotFoundError` where there is no such file.
    """
    key = key_written(text, file, "the contacts' master key")
    return None if key is None else MasterKey(key)


def sealing_key(text: str, file: str) -> SealingKey | None:
    """The public part as it is written down, else the one in the file; as `master_key`."""
    key = key_written(text, file, "the contacts' public key")
    return None if key is None else SealingKey(key)


def public_written(key: MasterKey) -> str:
    """The public part of a master key as it is written down."""
    return b64encode(key.sealing.public).decode()


def public_part(text: str) -> str:
    """The public part of a master key, both as they are written down; `ContactInvalid` where it is none."""
    key = master_key(text, "")
    if key is None:
        message = "the contacts' master key: expected text"
        raise ContactInvalid(message)
    return public_written(key)


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
