"""A contact is sealed for its complaint, and nothing of it shows by accident (R9)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contacts.details import (
    CannotUnseal,
    Contact,
    ContactInvalid,
    MasterKey,
    Sealed,
    contact_of,
    master_key,
    new_key,
)
from tests import examples as eg

KEY = MasterKey(bytes(range(32)))
LI = contact_of(" 李梅 ", "138 0013-8000", "010-65120000")
OTHER = "0" * 8 + eg.ID[8:]


@given(st.text(min_size=1, max_size=50), st.from_regex(r"1[0-9]{10}", fullmatch=True))
def test_what_is_sealed_for_a_complaint_is_read_back_for_it(name: str, phone: str) -> None:
    contact = Contact(name=name, phone=phone)
    sealed = KEY.seal(eg.ID, contact)
    assert KEY.unseal(eg.ID, sealed) == contact
    assert phone.encode() not in b"".join(sealed)


def test_it_is_read_for_no_other_complaint_under_no_other_key_and_not_when_a_bit_has_changed() -> None:
    sealed = KEY.seal(eg.ID, LI)
    with pytest.raises(CannotUnseal, match="is not what was sealed"):
        KEY.unseal(OTHER, sealed)
    with pytest.raises(CannotUnseal, match="under master key"):
        MasterKey(bytes(32)).unseal(eg.ID, sealed)
    for field in ("contact", "key"):
        bytes_of = bytearray(getattr(sealed, field))
        bytes_of[-1] ^= 1
        with pytest.raises(CannotUnseal):
            KEY.unseal(eg.ID, sealed._replace(**{field: bytes(bytes_of)}))


def test_every_complaint_has_a_key_of_its_own_and_without_it_nothing_is_read() -> None:
    one, again = KEY.seal(eg.ID, LI), KEY.seal(eg.ID, LI)
    assert one.contact != again.contact
    with pytest.raises(CannotUnseal):
        KEY.unseal(eg.ID, Sealed(one.contact, again.key, one.master))


def test_a_mask_leaves_one_character_and_two_digits_and_tells_no_length() -> None:
    assert LI.masked() == Contact(name="李**", phone="*********00", callback="*********00")
    assert len(contact_of("欧阳修远", "12345").masked().name) == len(LI.masked().name)


def test_neither_a_contact_that_is_printed_nor_one_that_is_refused_shows_what_it_is() -> None:
    assert "李" not in f"{LI!r} {LI}"
    for name, phone, callback, field in (
        ("", "13800138000", None, "name"),
        ("李\n梅", "13800138000", None, "name"),
        ("李梅", "call me", None, "phone"),
        ("李梅", "13800138000", "neighbour", "callback"),
    ):
        with pytest.raises(ContactInvalid, match=f"^{field}: expected") as refused:
            contact_of(name, phone, callback)
        assert not any(given and given in str(refused.value) for given in (name, phone) if given != "name")


def test_a_master_key_comes_from_the_environment_or_a_file_and_is_named_where_it_is_none(
    tmp_path: Path,
) -> None:
    file = tmp_path / "contacts.key"
    file.write_text(new_key() + "\n")
    found = master_key("", str(file))
    assert found is not None
    assert found.unseal(eg.ID, found.seal(eg.ID, LI)) == LI
    assert master_key("", "") is None
    with pytest.raises(ContactInvalid, match="the contacts' master key: expected 32 bytes") as refused:
        master_key("c2hvcnQ=", str(file))
    assert "c2hvcnQ" not in str(refused.value)
