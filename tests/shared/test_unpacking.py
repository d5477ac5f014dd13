"""What a codec has packed is unpacked, and never to more than a bound."""

from __future__ import annotations

import gzip
from contextlib import suppress
from typing import Final

import pytest
import zstandard
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from hypothesis import given
from hypothesis import strategies as st

from shared.doors.unpacking import UNPACKED_BYTES_MAX, CannotUnpack, unpacked

PACKERS: Final = {
    "gzip": (1, gzip_encode),
    "snappy in blocks": (2, snappy_encode),
    "snappy in one piece": (2, lambda data: bytes(snappy_encode(data, xerial_compatible=False))),
    "lz4": (3, lz4_encode),
    "zstd": (4, zstd_encode),
}
all_packers = pytest.mark.parametrize("packer", PACKERS)


@all_packers
@given(data=st.binary(max_size=5000), times=st.integers(1, 30))
def test_what_was_packed_comes_out_as_it_was(packer: str, data: bytes, times: int) -> None:
    codec, pack = PACKERS[packer]
    assert unpacked(codec, pack(data * times)) == data * times


@all_packers
def test_it_may_hold_as_much_as_the_bound_and_not_a_byte_more(packer: str) -> None:
    codec, pack = PACKERS[packer]
    packed = pack(bytes(range(256)) * 400)
    assert len(unpacked(codec, packed, 102_400)) == 102_400
    for bound in (102_399, 70_000, 1):
        with pytest.raises(CannotUnpack, match=f"holds more than {bound:,} bytes"):
            unpacked(codec, packed, bound)


@all_packers
def test_much_that_is_packed_into_little_is_refused_before_it_fills_the_memory(packer: str) -> None:
    codec, pack = PACKERS[packer]
    packed = pack(bytes(UNPACKED_BYTES_MAX + 1))
    with pytest.raises(
        CannotUnpack, match=f"holds more than {UNPACKED_BYTES_MAX:,} bytes once it is unpacked"
    ):
        unpacked(codec, packed)


@all_packers
@given(noise=st.binary(max_size=300), cut=st.integers(0, 200))
def test_noise_raises_one_kind_of_error_or_is_something(packer: str, noise: bytes, cut: int) -> None:
    codec, pack = PACKERS[packer]
    for packed in (noise, pack(b"something " * 50)[:cut], pack(b"something " * 50)[:cut] + noise):
        with suppress(CannotUnpack):
            unpacked(codec, packed)


def test_several_members_of_gzip_and_frames_of_zstd_are_one_text() -> None:
    assert unpacked(1, gzip.compress(b"one ") + gzip.compress(b"two")) == b"one two"
    frames = [zstandard.ZstdCompressor().compress(part) for part in (b"one ", b"two")]
    assert unpacked(4, b"".join(frames)) == b"one two"


@pytest.mark.parametrize("codec", [0, 5, 7])
def test_no_other_codec_is_known(codec: int) -> None:
    with pytest.raises(CannotUnpack, match=f"codec {codec}, which Kafka does not have"):
        unpacked(codec, b"")
