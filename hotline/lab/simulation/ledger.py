"""Acknowledged inputs in a file instead of in memory: a month of the city is ten million inputs."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from types import TracebackType
from typing import Final, Self

import msgspec

from hotline.lab.acknowledged import Acknowledged

_BUFFERED: Final = 1 << 20


class Ledger:
    """A list of inputs in a file without a name; a context manager, after which it is gone. One writes, then reads."""

    def __init__(self) -> None:
        """Nothing is noted."""
        self._file = TemporaryFile(buffering=_BUFFERED)  # noqa: SIM115 -- it lives as long as the ledger
        self._encoder = msgspec.json.Encoder()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The file goes."""
        self._file.close()

    def add(self, told: Acknowledged) -> None:
        """Note an input."""
        self._file.write(self._encoder.encode(told) + b"\n")

    def __iter__(self) -> Iterator[Acknowledged]:
        """Everything noted so far, in order."""
        decoder = msgspec.json.Decoder(Acknowledged)
        self._file.seek(0)
        for line in self._file:
            yield decoder.decode(line)
