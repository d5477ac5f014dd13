"""A contact is sealed for its complaint, and nothing of it shows by accident (R9)."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contacts.details import (
    CannotUnseal,
    Contact,
    ContactInvalid,
    MasterKey,
    contact_given,
    contact_of,
    master_key,
    new_key,
    public_part,
    sealing_key,
)
from shared.contacts.sealing import Sealed, SealingKey
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


@given(st.text(max_size=50), st.from_regex(r"1[0-9]{10}", fullmatch=True))
def test_what_is_sealed_to_the_public_part_is_read_with_the_master_key(name: str, phone: str) -> None:
    contact = Contact(name=name, phone=phone, email="li@example.org", address="小关街5号")
    sealed = KEY.sealing.seal(eg.ID, msgspec.json.encode(contact))
    assert KEY.unseal(eg.ID, sealed) == contact
    assert phone.encode() not in b"".join(sealed)
    assert sealed.master == SealingKey(KEY.sealing.public).fingerprint != KEY.fingerprint


def test_the_public_part_says_nothing_of_the_master_key_and_each_box_is_another() -> None:
    one, again = [KEY.sealing.seal(eg.ID, b"{}") for _ in range(2)]
    assert not {one.contact, one.key} & {again.contact, again.key}
    assert one.key[:32] != again.key[:32], "each has a key pair of its own"
    assert MasterKey(bytes(32)).sealing.public != KEY.sealing.public
    assert sealing_key(public_part(new_key()), "") is not None


def test_a_box_opens_for_no_other_complaint_key_or_kind_and_not_when_any_bit_has_changed() -> None:
    plain = msgspec.json.encode(LI)
    sealed = KEY.sealing.seal(eg.ID, plain)
    with pytest.raises(CannotUnseal, match="is not what was sealed"):
        KEY.unseal(OTHER, sealed)
    with pytest.raises(CannotUnseal, match="under master key"):
        MasterKey(bytes(32)).unseal(eg.ID, sealed)
    with pytest.raises(CannotUnseal, match="is not what was sealed"):
        KEY.opened(eg.ID, sealed, "text")
    for field in ("contact", "key"):
        whole = getattr(sealed, field)
        for place in range(len(whole)):
            changed = bytes([*whole[:place], whole[place] ^ 1, *whole[place + 1 :]])
            if field == "key" and place == 31:  # the highest bit of a point is not read; the others are
                changed = bytes([*whole[:place], whole[place] ^ 2, *whole[place + 1 :]])
            with pytest.raises(CannotUnseal):
                KEY.unseal(eg.ID, sealed._replace(**{field: changed}))
        for short in (b"", whole[:5], whole[:-1]):
            with pytest.raises(CannotUnseal):
                KEY.unseal(eg.ID, sealed._replace(**{field: short}))
    with pytest.raises(CannotUnseal):  # a point on which everybody agrees
        KEY.unseal(eg.ID, sealed._replace(key=bytes(32) + sealed.key[32:]))


def test_a_citizen_gives_any_field_and_none_that_is_not_as_it_must_be() -> None:
    assert contact_given(email=" li@example.org ") == Contact(email="li@example.org")
    given = contact_given(
        name="李梅", phone="138 0013-8000", callback="01065120000", email="l@e", address="小关街5号"
    )
    assert given.masked() == Contact(
        name="李**", phone="*********00", callback="*********00", email="l**@**", address="小**"
    )
    assert Contact(email="li@example.org").masked() == Contact(email="l**@**")
    for wrong in (
        {},
        {"email": "li"},
        {"email": "l i@e"},
        {"phone": "12"},
        {"name": " "},
        {"address": "x" * 401},
    ):
        with pytest.raises(ContactInvalid):
            contact_given(**wrong)


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
