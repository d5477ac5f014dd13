"""The blind index of callers: a number's complaints are found again, and no number is kept.

The index is an HMAC of the number in one normal form, under a key of its own. That key opens no contact. Without it
nobody can tell whether a number is in the index. The index of a complaint goes with its contact.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import digest
from typing import Final

from shared.contacts.details import Contact, key_written
from shared.text import folded

INDEX_BYTES: Final = 16
"""Of the HMAC: two of 100 million numbers are alike by chance once in 10 ** 22 times."""
MOBILE_DIGITS: Final = 11
"""Of a Chinese mobile number, which begins with 1."""
_COUNTRY: Final = ("0086", "86")
_MARKS: Final = str.maketrans("", "", "+- ")


class CallersKey:
    """The key of the blind index."""

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes that nobody can guess."""
        self._key = key

    def index(self, number: str) -> bytes:
        """Where the complaints of this number are found; 16 bytes. `number`: as it was dialled or taken down."""
        return digest(self._key, normal_form(number).encode(), sha256)[:INDEX_BYTES]

    def indexes(self, contact: Contact) -> list[bytes]:
        """Those of a contact's numbers, each once."""
        numbers = (contact.phone, contact.callback)
        return sorted({self.index(number) for number in numbers if number})


def normal_form(number: str) -> str:
    """A number's digits, without marks between them and without the country's own code."""
    digits = folded(number).translate(_MARKS)
    for code in _COUNTRY:
        rest = digits.removeprefix(code)
        if rest != digits and (rest.startswith("0") or (rest.startswith("1") and len(rest) == MOBILE_DIGITS)):
            return rest
    return digits


def is_number(text: str) -> bool:
    """Whether it can be a telephone number: digits, and the marks that stand between them."""
    digits = folded(text).translate(_MARKS)
    return digits.isascii() and digits.isdecimal()


def callers_key(text: str, file: str) -> CallersKey | None:
    """The key as it is written down, else the one in the file; None where neither is named.

    `ContactInvalid` where it is none or the file cannot be read, `FileNotFoundError` where there is no such file.
    """
    key = key_written(text, file, "the key of callers")
    return None if key is None else CallersKey(key)
