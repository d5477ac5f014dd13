"""A person's file is read whatever program saved it, or named with what was found and what was expected."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.cli.switch_lines import event_of, lines_in
from hotline.cli.up import _own
from hotline.lab.simulation.boston import rows_of
from hotline.lab.simulation.territory import territory
from hotline.scoring.inhabitants import PopulationInvalid, population
from services.intake.knowledge.file import KnowledgeInvalid, articles
from services.intake.pbx.asterisk import from_asterisk
from services.intake.pbx.event import SwitchEventInvalid
from shared.contacts.details import ContactInvalid, master_key, new_key
from shared.policy.catalogue import CatalogueInvalid, catalogue
from shared.runtime.errors import UserError
from shared.text_file import FileUnreadable, rows_in, text_in, text_of
from tests.examples import CATALOGUE

PRODUCT: Final = Path(__file__).resolve().parents[2]
NOBODY: Final = 65534
"""The user that owns nothing, on every Linux."""

KNOWLEDGE: Final = """version = "一"
example = true

[[articles]]
id = "a"
version = 1
subject = "综合"
title = "标题"
text = "正文"
valid_from = 2026-01-01
source = "来源"
"""
POPULATION: Final = """version = "北京"
example = true

[[counts]]
as_of = 2020-11-01
source = "统计局"

[counts.districts."海淀区"]
people = 100
streets = 2
"""
STREETS: Final = "street_code,street,kind,district_code,district\n1,花园路街道,街道,2,海淀区\n"
BOSTON: Final = (
    "case_enquiry_id,open_dt,target_dt,closed_dt,ontime,type,department\n"
    "1,2011-07-01 00:00:00,2011-07-02 00:00:00,,ONTIME,投诉电话,D\n"
)

OPENERS: Final[dict[str, tuple[Callable[[Path], Any], str, type[Exception]]]] = {
    "articles": (lambda file: articles(str(file)), KNOWLEDGE, KnowledgeInvalid),
    "inhabitants": (lambda file: population(str(file)), POPULATION, PopulationInvalid),
    "catalogue": (
        lambda file: catalogue(str(file)),
        msgspec.json.format(msgspec.json.encode(CATALOGUE), indent=1).decode(),
        CatalogueInvalid,
    ),
    "catalogue of a city": (
        _own,
        msgspec.json.format(msgspec.json.encode(CATALOGUE), indent=1).decode(),
        CatalogueInvalid,
    ),
    "streets": (territory, STREETS, CatalogueInvalid),
    "Boston's file": (lambda file: list(rows_of(file)), BOSTON, UserError),
}
"""Everything a command or a setting opens that a person wrote."""

SAVED: Final[dict[str, Callable[[str], bytes]]] = {
    "plain": str.encode,
    "with a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "by Windows": lambda text: codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode(),
    "by an old Mac": lambda text: text.replace("\n", "\r").encode(),
}

WRONG: Final[dict[str, tuple[Callable[[str], bytes], str]]] = {
    "GBK": (lambda text: text.encode("gbk"), "is saved as GBK (GB 18030): expected "),
    "UTF-16 of Windows": (lambda text: text.encode("utf-16"), "is saved as UTF-16: expected "),
    "UTF-16 without a mark": (lambda text: text.encode("utf-16-le"), "is saved as UTF-16 without a mark: "),
    "UTF-16 the other way": (lambda text: text.encode("utf-16-be"), "is saved as UTF-16 without a mark: "),
    "UTF-32": (lambda text: text.encode("utf-32"), "is saved as UTF-32: expected "),
    "Latin": (lambda text: text.encode() + b"\n# caf\xe9\n", "byte 0xe9 in line "),
    "a NUL": (lambda text: text.encode() + b"\n# \x00\n", "a NUL character in line "),
    "empty": (lambda _: b"", "is empty: expected "),
    "a mark alone": (lambda _: codecs.BOM_UTF8, "is empty: expected "),
    "blanks": (lambda _: b" \r\n \n", "is empty: expected "),
}


@pytest.mark.parametrize("how", SAVED)
@pytest.mark.parametrize("opener", OPENERS)
def test_a_file_is_read_however_it_was_saved(opener: str, how: str, tmp_path: Path) -> None:
    reads, text, _ = OPENERS[opener]
    (tmp_path / "plain").write_bytes(text.encode())
    (tmp_path / "saved").write_bytes(SAVED[how](text))
    assert reads(tmp_path / "saved") == reads(tmp_path / "plain")


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("opener", OPENERS)
def test_another_encoding_is_named_with_the_file_and_what_is_expected(
    opener: str, how: str, tmp_path: Path
) -> None:
    reads, text, wrong = OPENERS[opener]
    made, why = WRONG[how]
    file = tmp_path / f"my {opener}"
    file.write_bytes(made(text))
    with pytest.raises(wrong, match=re.escape(why)) as said:
        reads(file)
    assert str(file) in str(said.value)
    assert "expected" in str(said.value)


@pytest.mark.parametrize("opener", OPENERS)
def test_what_is_no_file_is_named_too(opener: str, tmp_path: Path) -> None:
    reads, _, wrong = OPENERS[opener]
    with pytest.raises(wrong, match="is a folder: expected "):
        reads(tmp_path)
    with pytest.raises(wrong, match="does not exist"):
        reads(tmp_path / "nowhere")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(wrong, match="expected|does not exist"):
        reads(loop)


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").write_text("x", encoding="utf-8")
    (tmp_path / "mine").chmod(0)
    tmp_path.chmod(0o711)  # all may pass through
    monkeypatch.chdir(tmp_path)
    user = os.geteuid()
    if user == 0:  # root may read anything: it becomes somebody else meanwhile
        os.seteuid(NOBODY)
    try:
        with pytest.raises(FileUnreadable, match="mine may not be read by this user: expected words"):
            text_of(Path("mine"), "words")
    finally:
        os.seteuid(user)


def test_a_name_that_does_not_print_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=re.escape(r"\x1b[31m' does not exist: expected words")):
        text_of(tmp_path / "\x1b[31m", "words")
    with pytest.raises(FileUnreadable, match="is no file's name"):
        text_of("a\0b", "words")


def test_the_contacts_master_key_is_read_as_any_editor_saves_it(tmp_path: Path) -> None:
    key = new_key()
    for raw in (key.encode(), codecs.BOM_UTF8 + key.encode() + b"\r\n"):
        (tmp_path / "key").write_bytes(raw)
        found = master_key("", str(tmp_path / "key"))
        assert found is not None
        known = master_key(key, "")
        assert known is not None
        assert found.fingerprint == known.fingerprint
    (tmp_path / "key").write_bytes(key.encode("utf-16"))
    with pytest.raises(ContactInvalid, match="is saved as UTF-16: expected the contacts' master key"):
        master_key("", str(tmp_path / "key"))
    with pytest.raises(ContactInvalid, match="is a folder"):
        master_key("", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        master_key("", str(tmp_path / "nowhere"))


EVENT: Final = (
    '{"Event": "AgentConnect", "Linkedid": "c-1", "MemberName": "甲",'
    ' "Timestamp": %s, "HoldTime": %s, "Queue": null}'
)


def test_a_switchs_numbers_may_stand_with_or_without_quotes() -> None:
    """An exporter that knows types writes 17 where AMI says "17"; both are the same event."""
    quoted = event_of((EVENT % ('"1764208800.250000"', '"17"')).encode(), 1)
    bare = event_of((EVENT % ("1764208800.250000", "17")).encode(), 1)
    assert quoted == bare
    assert [one.event_id for one in from_asterisk(bare)] == [one.event_id for one in from_asterisk(quoted)]
    assert event_of(b'{"a": 12345678901234567890, "b": true, "c": -1.5e3}', 1) == {
        "a": "12345678901234567890",
        "b": "true",
        "c": "-1.5e3",
    }


def test_a_switchs_recording_is_read_however_its_lines_end() -> None:
    one = (EVENT % ("1", "2")).encode()
    for end in (b"\n", b"\r\n", b"\r"):
        read = codecs.BOM_UTF8 + end.join([one, one, b""])
        lines = [line for line in lines_in(read.splitlines(keepends=True)) if line.strip()]
        assert [event_of(line, 1)["MemberName"] for line in lines] == ["甲", "甲"]
        lines = [line for line in lines_in([read]) if line.strip()]
        assert len(lines) == 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"[1]", "no event (Expected `object`, got `array`), expected a JSON object"),
        (b'{"a": {"b": 1}}', "a: expected text or a number"),
        (b'{"a": [1]}', "a: expected text or a number"),
        (b"{", "no event (Input data was truncated), expected a JSON object"),
        (
            '{"a": "花园路"}'.encode("gbk"),
            "line 7 is saved as GBK (GB 18030): expected an event as a JSON object",
        ),
        ('{"a": "b"}'.encode("utf-16-le"), "line 7 is saved as UTF-16 without a mark"),
    ],
)
def test_a_line_that_is_no_event_says_why(line: bytes, why: str) -> None:
    with pytest.raises((SwitchEventInvalid, FileUnreadable), match=re.escape(why)):
        event_of(line, 7)


def test_a_table_with_a_row_too_short_names_its_line() -> None:
    with pytest.raises(FileUnreadable, match="t: line 3 has no b; expected the columns of things"):
        list(rows_in("a,b\n1,2\n3\n", "t", ("a", "b"), "things"))
    with pytest.raises(FileUnreadable, match="t has no column b; expected the columns of things"):
        list(rows_in("a\n1\n", "t", ("a", "b"), "things"))
    with pytest.raises(FileUnreadable, match=r"t: line 1 is no CSV \(field larger"):
        list(rows_in("a,b\n1," + "x" * 200_000, "t", ("a", "b"), "things"))


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufeff"), min_size=1)
)
def test_whatever_is_text_in_utf_8_comes_back_as_it_is(text: str) -> None:
    if text.strip(" \t\n\x0b\x0c"):
        assert text_in(text.encode(), "it", "words") == text
        assert text_in(codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode(), "it", "words") == text


@given(st.binary())
def test_whatever_is_read_is_text_or_a_sentence(raw: bytes) -> None:
    try:
        text = text_in(raw, "it", "words")
    except FileUnreadable as error:
        text = str(error).partition("expected words")[1]
    assert text
    assert "\r" not in text
    assert "\0" not in text


OPENED_OTHERWISE: Final = {
    "deploy/before.py": "shipped with the project",
    "deploy/compose/secret_files.py": "made by us",
    "deploy/image/build.py": "made by a builder of images",
    "deploy/image/check.py": "asked inside the image",
    "deploy/yaml_text.py": "made and compared by us",
    "deploy/kubernetes/watching.py": "made and compared by us",
    "deploy/watching/__main__.py": "made and compared by us",
    "hotline/audit/anchors.py": "a machine's own file, its bytes are hashed",
    "hotline/contract/writing.py": "made and compared by us",
    "hotline/upkeep/backup.py": "a machine's own file",
    "hotline/cli/backup.py": "a machine's own file, copied",
    "hotline/recording.py": "any bytes: what goes on record is their hash",
    "services/intake/knowledge/file.py": "shipped with the project",
    "services/intake/knowledge/questions.py": "shipped with the project",
    "services/intake/knowledge/vocabulary.py": "shipped with the project",
    "hotline/lab/simulation/behaviour.py": "shipped with the project",
    "hotline/lab/desks/city.py": "shipped with the project",
    "hotline/contract/rulebook.py": "shipped with the project",
    "deploy/city/processes.py": "our own log",
    "deploy/city/registry.py": "a machine's own file",
    "shared/policy/calendar.py": "shipped with the project",
    "shared/policy/catalogue.py": "shipped with the project",
    "shared/log/anchoring.py": "a machine's own file",
    "hotline/scoring/inhabitants.py": "shipped with the project",
    "hotline/own_city/example.py": "shipped with the project",
    "shared/policy/ruleset.py": "shipped with the project",
    "hotline/web/pages/assets.py": "shipped with the project",
    "hotline/web/pages/catalogues.py": "shipped with the project",
    "hotline/web/process.py": "no file: ports are opened",
    "shared/text_file.py": "here it is done",
}
"""Who opens a file by other means, and why; servers, benchmark and chaos keep their own files."""


def test_nobody_opens_a_persons_file_by_other_means() -> None:
    opened = re.compile(
        r"\.read_text\(|\.read_bytes\(|[\w)]\.open\((?:\"|encoding|\))|(?<![\w.])(?<!def )open\("
    )
    found = {
        str(file.relative_to(PRODUCT))
        for folder in ("hotline", "services", "shared", "deploy")
        for file in (PRODUCT / folder).rglob("*.py")
        if opened.search(file.read_text(encoding="utf-8"))
        and not {"bench", "chaos", "embedded"} & set(file.relative_to(PRODUCT).parts)
    }
    assert found == set(OPENED_OTHERWISE)
