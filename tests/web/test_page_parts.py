"""The parts of pages: their files, their texts in each language, their words for times. Pure."""

from __future__ import annotations

import ast
import gzip
import re
import shutil
import subprocess
import tarfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from hotline.web.pages import catalogues
from hotline.web.pages.assets import address_of, assets
from hotline.web.pages.catalogues import translations_of
from hotline.web.pages.fact_words import FACT_WORDS, LABELS, WHO
from hotline.web.pages.gate import own_path
from hotline.web.pages.look import LANGUAGE_COOKIE, THEME_COOKIE, Language, PageLook, Theme, look_of
from hotline.web.pages.naming import NAMES
from hotline.web.pages.office_verbs import REVIEW_VERBS, SUPERVISION_VERBS, VISIT_VERBS
from hotline.web.pages.reasons import REASONS, reason
from hotline.web.pages.telling_time import due, span
from hotline.web.pages.verbs import UNIT_VERBS
from shared.events import SPEAKERS
from shared.topics import (
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
)
from shared.versions import RULESET
from tests.web.browser import VENDOR, vendored

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = Path(catalogues.__file__).parent
FOLDERS: Final = (PAGES / "vendor", VENDOR)


@pytest.mark.parametrize("folder", FOLDERS, ids=("pages", "tests"))
def test_what_others_wrote_is_as_its_package_has_it(folder: Path) -> None:
    kept = {file.name for file in folder.iterdir()} - {"vendor.toml"}
    assert {line["file"] for line in vendored(folder)} == kept
    for line in vendored(folder):
        assert sha256((folder / line["file"]).read_bytes()).hexdigest() == line["sha256"], line["file"]


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node with npm is not on this machine")
def test_the_package_itself_has_the_same_bytes(tmp_path: Path) -> None:
    lines = [(folder, line) for folder in FOLDERS for line in vendored(folder)]
    for named in {f"{line['package']}@{line['version']}" for _, line in lines}:
        subprocess.run(["npm", "pack", "--silent", named], cwd=tmp_path, check=True, capture_output=True)  # noqa: S607
    for folder, line in lines:
        with tarfile.open(tmp_path / f"{line['package']}-{line['version']}.tgz") as package:
            member = package.extractfile(f"package/{line['path']}")
            assert member is not None
            assert member.read() == (folder / line["file"]).read_bytes()


def test_every_text_has_its_chinese_and_no_other_text_stands_there() -> None:
    assert catalogues.untranslated() == []


def test_the_catalogue_is_as_its_command_writes_it() -> None:
    kept = catalogues.CHINESE_PO.read_text(encoding="utf-8")
    assert kept == catalogues.written(catalogues.updated()), "python -m hotline.web.pages.catalogues update"


def test_a_translation_has_the_places_of_its_text() -> None:
    place = re.compile(r"%\(\w+\)s")
    for one in catalogues.chinese():
        if one.id and isinstance(one.id, str):
            there, here = set(place.findall(one.id)), set(place.findall(str(one.string)))
            assert here <= there, one.id
            # The field that a reason names is the form's own word there; all else must be told.
            assert there - here <= ({"%(field)s"} if one.id in REASONS else set()), one.id


def test_a_reason_of_a_desk_reads_in_chinese_and_keeps_what_it_names() -> None:
    told = reason(Language.CHINESE, "Refused: the order lies with street-a now.")
    assert told == "工单现由 street-a 承办。"
    assert reason(Language.ENGLISH, "Refused: <b>.") == "Refused: &lt;b&gt;."
    assert reason(Language.CHINESE, "Refused: <b>.") == '<q lang="en">Refused: &lt;b&gt;.</q>'


def test_every_reason_that_dispatch_states_has_its_chinese() -> None:
    """Every text of a `Refusal`, with a letter in each hole."""
    stated: set[str] = set()
    for file in (ROOT / "services" / "dispatch").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Refusal" and call.args:
                stated |= {text for text in _texts(call.args[0]) if " " in text}
    assert len(stated) > 30
    assert {text for text in stated if "<q" in reason(Language.CHINESE, f"Refused: {text}.")} == set()


def _texts(node: ast.expr) -> set[str]:
    """The texts that an expression can be, where it stands there itself."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.JoinedStr):
        return {"".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)}  # type: ignore[misc]
    return set()


def test_every_fact_has_its_words_and_every_field_its_label() -> None:
    assert set(FACT_WORDS) == set(SPEAKERS)
    for kind, words in FACT_WORDS.items():
        own = set(kind.__struct_fields__)
        assert set(words.fields) <= own, kind
        assert set(words.fields) <= set(LABELS), kind
        assert words.who in WHO or words.who in own, kind


def test_the_offices_can_say_all_on_their_pages_that_they_can_say_over_kafka() -> None:
    for verbs, line in (
        (VISIT_VERBS, FEEDBACK_VISIT_RESULTS),
        (REVIEW_VERBS, DISPATCH_REVIEWS),
        (SUPERVISION_VERBS, FEEDBACK_EXCEPTIONS),
    ):
        assert {verb.kind for verb in verbs.values()} == set(line.inputs)
        for verb in verbs.values():
            own = set(verb.kind.__struct_fields__)
            assert {field.name for field in verb.fields} <= own & set(LABELS)


def test_a_unit_can_say_all_on_its_page_that_it_can_say_over_kafka() -> None:
    assert {verb.kind for verb in UNIT_VERBS.values()} == set(DISPATCH_REPLIES.inputs)
    for verb in UNIT_VERBS.values():
        own = set(verb.kind.__struct_fields__)
        assert {field.name for field in verb.fields} <= own
        assert {field.name for field in verb.fields} <= set(LABELS)
    keys = [verb.key for verb in UNIT_VERBS.values() if verb.key and verb.key != "u"]
    assert len(keys) == len(set(keys))


def test_every_choice_of_a_form_has_its_word() -> None:
    for verb in [
        v for verbs in (UNIT_VERBS, VISIT_VERBS, REVIEW_VERBS, SUPERVISION_VERBS) for v in verbs.values()
    ]:
        for field in verb.fields:
            assert set(field.choices) <= set(NAMES.get(field.kind, {})), field


def test_the_style_is_small_and_the_first_load_too() -> None:
    assert len(assets()["app.css"].body) <= 20_000
    assert sum(len(one.packed) for one in assets().values()) <= 45_000  # of 60 kB; the rest is the page's own


def test_a_file_has_its_hash_in_its_name() -> None:
    one = assets()["app.css"]
    assert sha256(one.body).hexdigest()[:12] in address_of("app.css")
    assert gzip.decompress(one.packed) == one.body


def test_the_look_is_the_readers_choice_and_else_the_browsers_language() -> None:
    assert look_of({}) == PageLook(Language.CHINESE, Theme.SYSTEM)
    assert look_of({}, "en-GB,en;q=0.9,zh;q=0.1").language is Language.ENGLISH
    assert look_of({}, "fr,zh-TW").language is Language.CHINESE
    chosen = {LANGUAGE_COOKIE: "en", THEME_COOKIE: "dark"}
    assert look_of(chosen, "zh") == PageLook(Language.ENGLISH, Theme.DARK)
    assert look_of({LANGUAGE_COOKIE: "<b>", THEME_COOKIE: "x"}) == PageLook(Language.CHINESE, Theme.SYSTEM)


class WithLimit(NamedTuple):
    due_at: datetime
    ruleset: str = RULESET


NOON: Final = datetime(2026, 3, 2, 4, tzinfo=UTC)  # in Beijing


@pytest.mark.parametrize(
    ("left", "state", "word"),
    [
        (timedelta(hours=-5), "late", "超 5 小时"),
        (timedelta(minutes=-3), "late", "超 3 分钟"),
        (timedelta(days=-3), "late", "超 3 天"),
        (timedelta(hours=3), "today", "今日 15:00"),
        (timedelta(hours=13), "later", "剩 13 小时"),
        (timedelta(days=6), "later", "剩 6 天"),
    ],
)
def test_a_limit_is_a_word_and_a_shape_beside_its_colour(left: timedelta, state: str, word: str) -> None:
    told = due(translations_of(Language.CHINESE).gettext, WithLimit(NOON + left), NOON)
    assert (told.state, told.word) == (state, word)
    assert told.shape == {"late": "▲", "today": "◆", "later": "○"}[state]


def test_a_length_of_time_is_told_in_its_largest_unit() -> None:
    text = translations_of(Language.ENGLISH).gettext
    assert [span(text, one) for one in (59, 3599, 3600, 172_799, 172_800)] == [
        "0 min",
        "59 min",
        "1 h",
        "47 h",
        "2 d",
    ]


@pytest.mark.parametrize("path", ["//other.example", "https://other.example", "/\\other.example", "work", ""])
def test_nobody_is_sent_on_to_another_site(path: str) -> None:
    assert own_path(path) == "/"
    assert own_path("/work?tab=overdue") == "/work?tab=overdue"
