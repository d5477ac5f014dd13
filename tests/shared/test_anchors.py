"""What an anchor says: another fact, another order or another number of them is another root."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.log.anchors import NOTHING, Anchor, Leaf, anchor_of, hash_of, leaves_of, line_of, root_of

HASHES = [sha256(bytes([number])).digest() for number in range(9)]
ANCHOR = Anchor(
    number=7,
    anchored_at=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
    first=801,
    last=900,
    facts=1,
    root=HASHES[0].hex(),
    previous=HASHES[1].hex(),
    leaves=UUID(int=5).bytes + struct.pack(">I", 3) + HASHES[0][:8],
)


def pair(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def test_the_root_is_what_two_by_two_comes_to() -> None:
    a, b, c, d, e = HASHES[:5]
    assert root_of(b"") == NOTHING
    assert root_of(a) == a.hex()
    assert root_of(a + b) == pair(a, b).hex()
    assert root_of(a + b + c) == pair(pair(a, b), c).hex()
    assert root_of(a + b + c + d + e) == pair(pair(pair(a, b), pair(c, d)), e).hex()


hashes = st.lists(st.binary(max_size=4).map(lambda some: sha256(some).digest()), min_size=1, max_size=70)


@given(hashes, st.data())
def test_one_fact_more_less_or_other_is_another_root(facts: list[bytes], data: st.DataObject) -> None:
    root = root_of(b"".join(facts))
    place = data.draw(st.integers(0, len(facts) - 1))
    other = bytes([facts[place][0] ^ 1]) + facts[place][1:]
    assert root_of(b"".join([*facts[:place], other, *facts[place + 1 :]])) != root
    assert root_of(b"".join(facts[:place] + facts[place + 1 :])) != root
    assert root_of(b"".join([*facts, facts[place]])) != root


@given(hashes)
def test_another_order_is_another_root(facts: list[bytes]) -> None:
    turned = facts[::-1]
    assert (root_of(b"".join(turned)) == root_of(b"".join(facts))) == (turned == facts)


def test_a_line_gives_back_its_anchor_and_any_change_of_it_is_another_hash() -> None:
    line = line_of(ANCHOR)
    assert b"\n" not in line
    assert anchor_of(line) == ANCHOR
    for changed in (
        replace(ANCHOR, number=8),
        replace(ANCHOR, last=901),
        replace(ANCHOR, root=HASHES[2].hex()),
        replace(ANCHOR, leaves=b""),
        replace(ANCHOR, restored=True),
    ):
        assert hash_of(line_of(changed)) != hash_of(line)


def test_a_leaf_names_its_fact() -> None:
    assert list(leaves_of(ANCHOR.leaves)) == [Leaf(UUID(int=5), 3, HASHES[0][:8])]
    with pytest.raises(struct.error):
        list(leaves_of(ANCHOR.leaves[:-1]))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "truncated"),
        (b'{"number":1}', "missing required field `anchored_at`"),
        (line_of(ANCHOR).replace(b'"first":801', b'"first":"x"'), "Expected `int`, got `str` - at `$.first`"),
    ],
)
def test_a_line_that_is_none_says_which_field(line: bytes, said: str) -> None:
    with pytest.raises(msgspec.DecodeError, match=said.replace("$", r"\$")):
        anchor_of(line)
