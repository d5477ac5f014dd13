"""Unpacks what Kafka's codecs have packed, and never more than a bound.

A few kilobytes of zstd can hold a gigabyte of zeros. The client's own codecs would hand all of it over. Then
the process would run out of memory, again at each start.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Final

import cramjam
import zstandard

UNPACKED_BYTES_MAX: Final = 16 * 1024 * 1024
"""The most bytes a batch may hold unpacked: sixteen times what any client puts into one by default (1 MB)."""

LZ4_RATIO_MAX: Final = 255
"""No byte of LZ4 stands for more than 255: the format's own bound."""

CODECS: Final = ("none", "gzip", "snappy", "lz4", "zstd")
"""By their number in the attributes of a batch."""

_GZIP: Final = b"\x1f\x8b"
"""The first bytes of each member of gzip."""
_XERIAL: Final = b"\x82SNAPPY\x00"
"""The first bytes of snappy in blocks, as Java's clients send it."""
_XERIAL_HEADER: Final = 16
_BLOCK: Final = struct.Struct(">i")


class CannotUnpack(Exception):  # noqa: N818 -- bytes to set aside, not our failure
    """The text says what is wrong with them, and quotes nothing of them."""


def unpacked(codec: int, packed: bytes, at_most: int = UNPACKED_BYTES_MAX) -> bytes:
    """Unpack bytes that this codec of Kafka's has packed; raises `CannotUnpack`."""
    if not 0 < codec < len(CODECS):
        message = f"packed by codec {codec}, which Kafka does not have"
        raise CannotUnpack(message)
    try:
        data = _BY_CODEC[codec](packed, at_most)
    except CannotUnpack:
        raise
    except Exception as error:
        message = f"packed by {CODECS[codec]}, and cannot be unpacked ({type(error).__name__})"
        raise CannotUnpack(message) from error
    if len(data) > at_most:
        raise _too_much(at_most)
    return data


def _too_much(at_most: int) -> CannotUnpack:
    return CannotUnpack(f"holds more than {at_most:,} bytes once it is unpacked")


def _gzip(packed: bytes, at_most: int) -> bytes:
    """One member or several, one behind the other."""
    parts: list[bytes] = []
    room, rest = at_most + 1, packed
    while rest and room > 0:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        part = member.decompress(rest, room)
        parts.append(part)
        room -= len(part)
        if not member.eof and room > 0:
            message = "packed by gzip, and ends too early"
            raise CannotUnpack(message)
        rest = member.unused_data if member.unused_data.startswith(_GZIP) else b""  # as Java's reader does it
    return b"".join(parts)


def _snappy(packed: bytes, at_most: int) -> bytes:
    """In one piece, as librdkafka sends it, or in blocks."""
    if not packed.startswith(_XERIAL):
        return _snappy_piece(packed, at_most)
    parts: list[bytes] = []
    at = _XERIAL_HEADER
    while at < len(packed):
        (length,) = _BLOCK.unpack_from(packed, at)
        at += _BLOCK.size
        if not 0 <= length <= len(packed) - at:
            message = "packed by snappy, and a block ends behind its batch"
            raise CannotUnpack(message)
        parts.append(_snappy_piece(packed[at : at + length], at_most, sum(map(len, parts))))
        at += length
    return b"".join(parts)


def _snappy_piece(piece: bytes, at_most: int, before: int = 0) -> bytes:
    if before + cramjam.snappy.decompress_raw_len(piece) > at_most:
        raise _too_much(at_most)
    return bytes(cramjam.snappy.decompress_raw(piece))


def _lz4(packed: bytes, at_most: int) -> bytes:
    if len(packed) * LZ4_RATIO_MAX <= at_most:
        return bytes(cramjam.lz4.decompress(packed))
    room = bytearray(at_most)
    try:
        size = cramjam.lz4.decompress_into(packed, room)
    except cramjam.DecompressionError as error:
        if "whole buffer" in str(error):
            raise _too_much(at_most) from error
        raise
    return bytes(memoryview(room)[:size])


def _zstd(packed: bytes, at_most: int) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
        return reader.read(at_most + 1)


_BY_CODEC: Final[dict[int, Callable[[bytes, int], bytes]]] = {1: _gzip, 2: _snappy, 3: _lz4, 4: _zstd}
