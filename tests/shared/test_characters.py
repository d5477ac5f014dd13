"""Which character is not taken, where it stands, and why: said to a person who may not see it on his screen."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.characters import first_unprintable, named
from shared.contacts.details import NAME_MAX, Contact, ContactInvalid, contact_of


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("李\u200b明", "character 2 is U+200B (ZERO WIDTH SPACE): it is invisible"),
        ("李\u3000明", "character 2 is U+3000 (IDEOGRAPHIC SPACE): it is a blank of a special width"),
        ("李明\n先生", "character 3 is U+000A: it moves the cursor or the line and prints nothing"),
        ("\x1b[31m李明", "character 1 is U+001B: it moves the cursor"),
        ("李\u202e明", "character 2 is U+202E (RIGHT-TO-LEFT OVERRIDE): it is invisible"),
        ("李\ue863", "character 2 is U+E863: it is private: each system shows another character for it"),
        ("李\ud842", "character 2 is U+D842: it is half of a character"),
        ("李\u2028明", "character 2 is U+2028 (LINE SEPARATOR): it ends a line"),
        ("", "it has 0"),
        ("李" * (NAME_MAX + 1), f"it has {NAME_MAX + 1}"),
    ],
)
def test_a_name_that_is_not_taken_says_which_character_and_why(name: str, why: str) -> None:
    with pytest.raises(ContactInvalid) as said:
        contact_of(name, "13800000000")
    assert str(said.value).startswith(f"name: expected 1 to {NAME_MAX} printable characters; ")
    assert why in str(said.value)
    assert "李" not in str(said.value), "of the name itself nothing is said"


@pytest.mark.parametrize(
    ("phone", "why"),
    [
        (
            "138٣0000000",
            "character 4 is U+0663 (ARABIC-INDIC DIGIT THREE): a digit of another script or width",
        ),
        ("(010) 12345", "character 1 is U+0028 (LEFT PARENTHESIS): it stands in no number"),
        ("010–12345678", "character 4 is U+2013 (EN DASH): it stands in no number"),
        ("12345 ext 6", "character 7 is U+0065 (LATIN SMALL LETTER E): it stands in no number"),
        ("1234", "it has 4 digits"),
        ("1" * 21, "it has 21 digits"),
        ("", "it has 0 digits"),
        ("138+00000000", "character 4 is U+002B (PLUS SIGN): it must not stand there"),
        ("+ 8613800000", "character 2 is U+0020 (SPACE): it must not stand there"),
        ("138-00000000-", "character 13 is U+002D (HYPHEN-MINUS): it must not stand there"),
    ],
)
@pytest.mark.parametrize("field", ["phone", "callback"])
def test_a_number_that_is_not_taken_says_which_character_and_why(field: str, phone: str, why: str) -> None:
    if field == "callback" and not phone:
        return  # none is given
    given_ = {"phone": "13800000000", field: phone}
    with pytest.raises(ContactInvalid) as said:
        contact_of("李明", given_["phone"], given_.get("callback"))
    assert str(said.value).startswith(f"{field}: expected 5 to 20 digits from 0 to 9")
    assert why in str(said.value)
    assert "00000" not in str(said.value), "of the number itself nothing is said"


@given(st.text(), st.text(st.sampled_from("+0123456789 -") | st.characters()))
def test_what_is_not_taken_names_one_character_or_how_many_there_are(name: str, phone: str) -> None:
    try:
        made = contact_of(name, phone)
    except ContactInvalid as error:
        said, made = str(error), Contact(name=name.strip(), phone=phone.strip())
    else:
        said = "character 1 is U+0000"
    assert re.search(r"character [0-9]+ is U\+[0-9A-F]{4,6}|it has [0-9,]+", said)
    assert made == Contact(name=name.strip(), phone=phone.strip())


def test_every_character_there_can_be_is_named_and_has_a_reason() -> None:
    for code in range(0, sys.maxunicode + 1, 7):
        character = chr(code)
        assert named(character).startswith(f"U+{code:04X}")
        assert (first_unprintable(character) is None) == character.isprintable()
