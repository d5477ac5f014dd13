"""Wherever a name that somebody typed is compared, its form does not matter."""

from __future__ import annotations

import msgspec
import pytest

from deploy.city.endpoints import CityEndpoints
from deploy.city.registry import City
from hotline.cli.programme.recording import Speaker
from hotline.cli.run import demand_words, listed
from hotline.governance.candidates import candidates
from hotline.lookup import unit_named
from hotline.scoring.inhabitants import parsed as population_of
from services.intake.knowledge.file import articles
from services.intake.knowledge.file import parsed as articles_of
from services.intake.knowledge.ranking import asked
from services.intake.knowledge.words import excerpt
from services.intake.response_times import Message, responses
from shared.contacts.details import ContactInvalid, contact_of
from shared.policy.catalogue import CatalogueInvalid, catalogue, parsed
from shared.policy.ruleset import ruleset
from tests import examples as eg
from tests.foreign import BLANKS
from tests.hotline.test_knowledge import _ENTRY
from tests.hotline.test_proactive import PROPOSE

FULL = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


def otherwise(name: str) -> str:
    """The same name as another keyboard types it."""
    return f"\u3000{name.upper().translate(FULL)}\u200b\n"


@pytest.mark.parametrize("unit", list(catalogue().units)[::40])
def test_a_unit_is_found_by_its_id_and_its_name_however_they_are_typed(unit: str) -> None:
    assert unit_named(otherwise(unit), "") == unit
    name = catalogue().units[unit].name
    if [one.name for one in catalogue().units.values()].count(name) == 1:
        assert unit_named(otherwise(name), "") == unit
    said = Speaker(
        City(endpoints=CityEndpoints(name="x", kafka="", owner_dsn="", logins={})),
        otherwise(unit),
        eg.CALLED_AT,
    )
    assert said.by == unit
    assert said.units(f"{otherwise(unit)}，{unit}") == (unit, unit)


def test_a_catalogue_is_looked_up_by_names_in_one_form() -> None:
    told = msgspec.to_builtins(eg.CATALOGUE)
    (district,) = told["districts"].values()
    district["streets"] = {"⼩关街道 ": eg.OTHER_STREET}
    told["districts"] = {"海淀区\u200b": district}
    told["subjects"] = {"公共服务／供水": told["subjects"]["供水"]}
    made = parsed(msgspec.json.encode(told))
    assert made.districts["海淀区"].streets == {"小关街道": eg.OTHER_STREET}
    assert list(made.subjects) == ["公共服务/供水"]
    told["subjects"] |= {"公共服务/供水": told["subjects"]["公共服务／供水"]}
    with pytest.raises(CatalogueInvalid, match="subjects: '公共服务/供水': expected a name that can be read"):
        parsed(msgspec.json.encode(told))


def test_inhabitants_are_found_by_names_in_one_form() -> None:
    text = (
        'version = "x"\nexample = false\n[[counts]]\nas_of = 2021-01-01\nsource = "x"\n'
        '[counts.districts]\n"海淀区 " = { people = 9, streets = 3 }\n'
    )
    (count,) = population_of(text).counts
    assert list(count.districts) == ["海淀区"]


def test_subjects_typed_in_two_forms_are_one_candidate() -> None:
    topic = msgspec.structs.replace(PROPOSE, clusters=())
    assert topic.clusters == ()
    (found,) = candidates({("公共服务／供水", "海淀区 "): 2, ("公共服务/供水", "海淀区"): 3}, [])
    assert (found.subject, found.complaints, found.districts) == ("公共服务/供水", 5, {"海淀区": 5})


def test_articles_are_found_by_words_in_whatever_form_they_are_asked_for() -> None:
    assert asked("１２３４５ 热线") == asked("12345 热线")
    assert asked("⼤气污染") == asked("大气污染")
    assert "３号线" in excerpt(f"{'前' * 40}㎡乘３号线进站{'后' * 90}", ["3"])
    assert all(excerpt(one.text, asked(one.title).said) for one in articles().articles)


def test_an_articles_id_is_a_code_and_its_subject_a_name() -> None:
    entry = _ENTRY.replace('id = "a"', 'id = "ＫＢ-1 "').replace('"综合"', '"综合\u200b"')
    (one,) = articles_of(entry).articles
    assert (one.id, one.subject) == ("kb-1", "综合")


@pytest.mark.parametrize("field", ["标题", "正文", "某条例"])
def test_an_article_that_nobody_can_read_is_refused_by_its_field(field: str) -> None:
    with pytest.raises(ValueError, match=r"knowledge: articles\[0\]\.\w+: expected words that can be read"):
        articles_of(_ENTRY.replace(field, "\u200b"))


def test_a_citizens_number_may_be_typed_in_full_width() -> None:
    contact = contact_of("李梅", "１３８\u30000013　8000\u200b", "０１０-65129876")
    assert (contact.phone, contact.callback) == ("138 0013 8000", "010-65129876")


@pytest.mark.parametrize("name", [one for one in BLANKS if one not in {"\u0301", "\u20dd"}], ids=ascii)
def test_a_citizens_name_can_be_read(name: str) -> None:
    with pytest.raises(ContactInvalid, match="name: expected"):
        contact_of(name, "13800138000")


def test_a_channel_is_one_whether_it_is_typed_in_capitals_or_not() -> None:
    rules = ruleset("beijing-draft-2021").messages
    told = responses(
        [Message("SMS", eg.CALLED_AT, eg.CALLED_AT), Message("sms", eg.CALLED_AT, eg.CALLED_AT)], rules
    )
    assert {one.channel: one.messages for one in told if one.messages} == {"sms": 2}


def test_several_may_have_chinese_commas_between_them() -> None:
    assert listed("a，b、 c,\u3000") == ("a", "b", "c")


@pytest.mark.parametrize("text", ["", *BLANKS], ids=ascii)
def test_an_option_that_says_nothing_ends_the_command_by_its_name(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import typer

    with pytest.raises(typer.Exit) as ended:
        demand_words("--reason", text)
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err.startswith("--reason: expected words that can be read, got ")
