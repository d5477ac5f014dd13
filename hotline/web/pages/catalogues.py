"""The texts of the pages in each language: gettext catalogues, compiled when the process starts.

English stands in the source and is the key. `python -m hotline.web.pages.catalogues update` brings the catalogue of
Chinese up to date with the source; a test fails where a text has no Chinese.
"""

from __future__ import annotations

import io
import sys
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from hotline.web.pages.look import Language

HOME: Final = Path(str(files("hotline.web.pages")))
CHINESE_PO: Final = HOME / "catalogues" / "zh_Hans_CN.po"
_METHODS: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS: Final = {"templates/**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
_KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
_HEAD: Final = (
    "# Chinese of the pages. English is the key: it stands in templates and in hotline/web/pages.\n"
)


def N_(text: str) -> str:  # noqa: N802 -- the name that catalogues look for
    """Mark a text for the catalogues; it is translated where it is shown."""
    return text


class Pseudo(NullTranslations):
    """A language for tests: every text of the catalogues in brackets, so that any other one stands out."""

    def gettext(self, message: str) -> str:
        """See gettext."""
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """See gettext."""
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


@cache
def translations_of(language: Language) -> NullTranslations:
    """The texts of this language."""
    if language is Language.ENGLISH:
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, chinese())
    compiled.seek(0)
    return GNUTranslations(compiled)


def chinese() -> Catalog:
    """The catalogue of Chinese as it is kept."""
    with CHINESE_PO.open("rb") as file:
        return read_po(file, locale="zh_Hans_CN")


def in_source() -> Catalog:
    """All texts of the templates and of the Python files here."""
    found = Catalog(locale="zh_Hans_CN")
    extracted = extract_from_dir(str(HOME), method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS)
    for file, _, message, __, ___ in sorted(extracted, key=lambda one: (one[0], one[1])):
        found.add(message, locations=[(file, None)])  # type: ignore[list-item]  # babel takes a place without a line
    return found


def updated() -> Catalog:
    """The catalogue with the texts of the source and no others; those that are new have no Chinese yet."""
    kept = chinese() if CHINESE_PO.exists() else Catalog(locale="zh_Hans_CN")
    kept.update(in_source(), no_fuzzy_matching=True)
    kept.obsolete.clear()
    kept.header_comment = ""
    for one in kept:
        one.user_comments = []
    return kept


def untranslated() -> list[str]:
    """The texts without Chinese, and those of the catalogue that stand nowhere any more."""
    kept, known = chinese(), in_source()
    missing = [str(one.id) for one in known if one.id and not (kept.get(one.id) and _said(kept, one.id))]
    return missing + [str(one.id) for one in kept if one.id and known.get(one.id) is None]


def _said(kept: Catalog, text: object) -> bool:
    found = kept.get(text)  # type: ignore[arg-type]
    assert found is not None  # noqa: S101 -- it was just looked up
    said = found.string
    return all(said) if isinstance(said, (tuple, list)) else bool(said)


def written(catalog: Catalog) -> str:
    """The file of a catalogue."""
    made = io.BytesIO()
    write_po(made, catalog, omit_header=True, include_lineno=False, width=110, sort_output=True)
    return _HEAD + "\n" + made.getvalue().decode()


def main() -> None:
    """Bring the catalogue up to date, and say which texts have no Chinese yet."""
    if sys.argv[1:] != ["update"]:
        sys.exit("expected: update")
    CHINESE_PO.write_text(written(updated()), encoding="utf-8")
    for text in untranslated():
        print(text)


if __name__ == "__main__":
    main()
