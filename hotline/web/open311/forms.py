"""Forms of GeoReport: urlencoded or multipart, every field by its name and nothing beside those that are known."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from hotline.web.asking import body_of
from hotline.web.problems import HttpRefusal, ProblemKind

URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
FIELDS_MAX: Final = 200
"""Fields of one form; a request has some fifteen."""
PART_BYTES_MAX: Final = 64 * 1024
"""A field of a multipart form: a description has at most 4,000 characters."""
_ATTRIBUTE: Final = re.compile(r"attribute\[([\w-]{1,100})\](\[\])?", re.ASCII)


class GivenForm:
    """The fields of a form."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        """`fields`: in the order they came in; one may come more than once."""
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            self._fields.setdefault(name.removesuffix("[]") if "[" in name else name, []).append(value)

    def one(self, name: str) -> str:
        """The value of a field; empty where it is not given. `HttpRefusal` where it is given with two values."""
        given = list(dict.fromkeys(self._fields.get(name, [])))
        if len(given) > 1:
            raise bad(name, "one value")
        return given[0].strip() if given else ""

    def many(self, name: str) -> list[str]:
        """All values of a field that say something."""
        return [value.strip() for value in self._fields.get(name, []) if value.strip()]

    @property
    def attributes(self) -> dict[str, str]:
        """The value of each `attribute[code]`."""
        found = {name: _ATTRIBUTE.fullmatch(name) for name in self._fields}
        return {match[1]: self.one(name) for name, match in found.items() if match is not None}

    def only(self, known: Mapping[str, object]) -> None:
        """`HttpRefusal` names a field that nobody reads: a misspelt one would be lost in silence."""
        for name in self._fields:
            if name not in known and _ATTRIBUTE.fullmatch(name) is None:
                raise HttpRefusal(
                    ProblemKind.BAD_EVENT,
                    f"There is no field {name[:100]!r}.",
                    field=name[:100],
                    expected="a field of the standard, or attribute[CODE]",
                )


def bad(name: str, expected: str) -> HttpRefusal:
    """The refusal of a field."""
    return HttpRefusal(ProblemKind.BAD_EVENT, f"{name}: expected {expected}.", field=name, expected=expected)


async def form_of(request: Request) -> GivenForm:
    """The form of a request; `HttpRefusal` where its body is none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {URLENCODED, MULTIPART}:
        raise HttpRefusal(
            ProblemKind.WRONG_TYPE,
            f"The body is a form: {URLENCODED} or {MULTIPART}.",
            field="content-type",
            expected=URLENCODED,
        )
    body = await body_of(request)
    return _urlencoded(body) if kind == URLENCODED else await _multipart(request.headers, body)


def _urlencoded(body: bytes) -> GivenForm:
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:  # too many fields, or no UTF-8
        expected = f"at most {FIELDS_MAX} fields in percent-encoded UTF-8"
        raise HttpRefusal(
            ProblemKind.BAD_EVENT, f"The form cannot be read: expected {expected}.", expected=expected
        ) from None
    return GivenForm(fields)


async def _multipart(headers: Headers, body: bytes) -> GivenForm:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        headers, whole(), max_files=0, max_fields=FIELDS_MAX, max_part_size=PART_BYTES_MAX
    )
    try:
        found = await parser.parse()
    except MultiPartException as error:
        files = "files" in error.message
        detail = "A file cannot be sent here: send its address as media_url." if files else error.message
        raise HttpRefusal(ProblemKind.BAD_EVENT, detail, expected="fields without a file") from None
    except (KeyError, ValueError, LookupError):
        raise HttpRefusal(ProblemKind.BAD_EVENT, "The form cannot be read.") from None
    return GivenForm((name, value) for name, value in found.multi_items() if isinstance(value, str))
