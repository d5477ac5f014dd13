"""Open311 without a city: codes, XML, forms, what is put on record, what is told, and the rules of others retold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from hotline.web.open311.contacts import NAMED, contact_in_form
from hotline.web.open311.forms import FIELDS_MAX, GivenForm, form_of
from hotline.web.open311.history import STATES, TOLD, masked, told
from hotline.web.open311.instants import SPAN_DAYS_MAX, asked_span, stamp
from hotline.web.open311.markup import ALONE, LISTS, MEMBERS, xml_of
from hotline.web.open311.offers import Locale, ServiceOffers
from hotline.web.open311.reading import FoundRequest
from hotline.web.open311.recording import (
    UNKNOWN_DISTRICT,
    numbers_of,
    request_of,
    without_media,
    without_point,
)
from hotline.web.open311.requests_out import shown
from hotline.web.open311.shapes import (
    BODIES,
    AcceptedRequest,
    GeoReportError,
    GeoReportList,
    Open311Service,
    ServiceRequest,
)
from hotline.web.open311.updates import ADDS, AGAIN, DECIDED_HERE, SOLVED, input_of
from hotline.web.open311.wire import json_of
from hotline.web.problems import HttpRefusal, ProblemKind
from shared.events import Fact
from shared.events.base import RequestType, Urgency
from shared.ids import ComplaintId, complaint_id
from shared.inputs import GiveRating, RecordRequest, RepeatRequest, SupplementRequest
from shared.policy.catalogue import SERVICE_CODE, CatalogueInvalid, catalogue, parsed
from shared.policy.ruleset import ruleset
from shared.versions import RULESET
from tests import examples as eg
from tests.city import CATALOGUE

CODES: Final = {
    "epidemic-control": "疫情防控",
    "unlicensed-trading": "市场管理/无照经营",
    "consumer-disputes": "市场管理/消费纠纷",
    "water-supply": "公共服务/供水",
    "power-supply": "公共服务/供电",
    "gas-supply": "公共服务/供气",
    "heating": "公共服务/供暖",
    "community-services": "公共服务/社区服务",
    "property-management": "住房/物业管理",
    "old-housing-renewal": "住房/老旧小区改造",
    "property-certificates": "住房/房产证办理",
    "house-rental": "住房/房屋租赁",
    "medical-care": "医疗卫生/就医服务",
    "environmental-hygiene": "医疗卫生/环境卫生",
    "illegal-construction": "城乡建设/违法建设",
    "road-maintenance": "城乡建设/道路养护",
    "city-appearance": "城乡建设/市容环境",
    "parking": "交通管理/停车秩序",
    "road-traffic": "交通管理/道路交通",
    "rail-transit": "交通管理/轨道交通",
    "noise": "社会秩序/噪声扰民",
    "neighbour-disputes": "社会秩序/邻里纠纷",
    "unpaid-wages": "劳动社保/拖欠工资",
    "social-insurance": "劳动社保/社会保险",
    "school-admission": "教育/入学入园",
    "private-tutoring": "教育/校外培训",
}
"""The codes that were ever given. None of them goes, and none gets another subject: systems outside keep them."""
SCHEMAS: Final = Path(__file__).parents[3] / "shared/data/open311-schemas"
"""The five official schemas. They have no licence, so the project carries none of them."""
OFFERS: Final = ServiceOffers(catalogue())
RULES: Final = ruleset(RULESET)
ZONE: Final = timezone(timedelta(hours=8))
COMPLAINT: Final = complaint_id("R-1")
FOREIGN: Final = (
    "没有水,三天了",
    "🚰 emoji and \u202e marks of direction",
    "<b>&amp; ]]> \"'</b>",
    "\x00\x01\x08\x0b\x1f\x7f\x85\ufffe\uffff between",
    "a\tb\nc",
    "长" * 4000,
)


def fields(**more: str | list[str]) -> GivenForm:
    told_fields: dict[str, str | list[str]] = {
        "service_code": "water-supply",
        "address_string": "北京市海淀区中关村街道5号",
        "description": "没有水\n三天没有水",
        **more,
    }
    return GivenForm(
        (name.replace("__", "[") + ("]" if "__" in name else ""), one)
        for name, value in told_fields.items()
        for one in (value if isinstance(value, list) else [value])
    )


def recorded(**more: str | list[str]) -> RecordRequest:
    return request_of(fields(**more), OFFERS, RULES, "open311::1", "/agents/portal")


def read_xml(document: bytes) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 -- our own document


def without_control(text: str) -> str:
    """A text as XML can have it."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]", "", text)


def refused(act: Callable[[], Any]) -> HttpRefusal:
    with pytest.raises(HttpRefusal) as found:
        act()
    return found.value


def found(**more: Any) -> FoundRequest:
    given_fields: dict[str, Any] = {
        "complaint": COMPLAINT,
        "number": "20211001-7K4MQ-9XR2B-C",
        "stage": "SIGNED",
        "closed": False,
        "district": "海淀区",
        "street": "中关村街道",
        "subject": "公共服务/供水",
        "unit": "municipal-water",
        "due_at": datetime(2021, 10, 8, 15, 59, 59, 999999, UTC),
        "received_at": datetime(2021, 10, 1, tzinfo=UTC),
        "updated_at": datetime(2021, 10, 1, 1, 2, 3, 456789, UTC),
        "ruleset": RULESET,
        "content": "三天没有水\nmedia_url: https://pictures.example/1.jpg",
        "address": "小关街5号 (WGS84 39.980000, 116.350000)",
        "attachments": ["https://pictures.example/2.jpg"],
        "in_full": True,
        "withheld": False,
    }
    return FoundRequest(**{**given_fields, **more})


# --- codes


def test_every_subject_has_the_code_it_was_ever_given() -> None:
    known = catalogue()
    assert {code: OFFERS.subject_of(code) for code in CODES} == CODES
    assert set(CODES.values()) == set(known.subjects)


def test_every_code_stands_in_an_address_as_it_is() -> None:
    for code in CODES:
        assert re.fullmatch(r"[\w-]+", code, re.ASCII)


def test_every_subject_has_a_name_in_both_languages() -> None:
    english = [one.service_name for one in OFFERS.services(Locale.EN)]
    chinese = [one.service_name for one in OFFERS.services(Locale.ZH)]
    assert all(name.isascii() and name for name in english)
    assert chinese == list(catalogue().subjects)
    assert len(set(english)) == len(english)


@pytest.mark.parametrize(
    "told_catalogue", [CATALOGUE, msgspec.to_builtins(eg.CATALOGUE)], ids=["city", "life"]
)
def test_a_subject_without_a_code_gets_one_that_stays(told_catalogue: dict[str, Any]) -> None:
    made = [ServiceOffers(parsed(json.dumps(told_catalogue).encode())) for _ in range(2)]
    codes = [[one.service_code for one in offers.services(Locale.ZH)] for offers in made]
    assert codes[0] == codes[1]
    assert len(set(codes[0])) == len(told_catalogue["subjects"])
    assert all(SERVICE_CODE.fullmatch(code) for code in codes[0])


@given(st.text(max_size=300))
def test_any_name_of_a_subject_has_a_code(name: str) -> None:
    assert SERVICE_CODE.fullmatch(OFFERS.code_of(name))


def test_the_code_of_a_subject_that_nobody_listed_says_nothing_of_its_name() -> None:
    code = OFFERS.code_of("张三 13800138000")
    assert SERVICE_CODE.fullmatch(code)
    assert code == OFFERS.code_of("张三 13800138000") != OFFERS.code_of("张三")
    assert OFFERS.name_of("张三 13800138000", Locale.ZH) is None


@pytest.mark.parametrize("codes", [("same", "same"), ("no blank here", "b"), ("水", "b"), ("x" * 61, "b")])
def test_two_alike_and_what_is_no_code_are_refused(codes: tuple[str, str]) -> None:
    subjects = {name: {"to": "street", "code": code} for name, code in zip("ab", codes, strict=True)}
    with pytest.raises(CatalogueInvalid, match="code"):
        parsed(json.dumps({**CATALOGUE, "subjects": subjects}).encode())


# --- XML and JSON


@pytest.mark.parametrize("text", FOREIGN, ids=range(len(FOREIGN)))
def test_foreign_text_comes_through_both_formats(text: str) -> None:
    body = GeoReportList(kind=GeoReportError, items=[GeoReportError(code=400, description=text)])
    assert json.loads(json_of(body)) == [{"code": 400, "description": text}]
    (error,) = read_xml(xml_of(body)).findall("error")
    assert error.findtext("code") == "400"
    assert error.findtext("description") == without_control(text)


@given(st.text(max_size=50))
def test_no_text_breaks_xml(text: str) -> None:
    body = GeoReportList(kind=GeoReportError, items=[GeoReportError(code=1, description=text)])
    root = read_xml(xml_of(body))
    assert [one.tag for one in root[0]] == ["code", "description"]


def test_every_body_has_its_tag() -> None:
    assert {*LISTS, *ALONE, *MEMBERS} >= set(BODIES) - {
        next(one for one in BODIES if one.__name__ == "ExtendedAttributes")
    }


def test_the_order_of_tags_is_that_of_the_fields_and_what_is_not_there_is_left_out() -> None:
    body = GeoReportList(kind=ServiceRequest, items=[shown(found(), OFFERS, Locale.ZH)])
    root = read_xml(xml_of(body))
    assert root.tag == "service_requests"
    tags = [one.tag for one in root[0]]
    order = [one.name for one in msgspec.structs.fields(ServiceRequest)]
    assert tags == [name for name in order if name in tags]
    assert "notes" not in tags


def test_truth_is_true_and_false_in_both_formats() -> None:
    definition = OFFERS.definition("water-supply", Locale.ZH)
    root = read_xml(xml_of(definition))
    assert {one.text for one in root.iter("variable")} == {"true"}
    assert {one.text for one in root.iter("required")} == {"false"}
    assert {one["variable"] for one in json.loads(json_of(definition))["attributes"]} == {True}


# --- the official schemas


def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    if not SCHEMAS.is_dir():
        pytest.skip(
            f"{SCHEMAS} is not there: the official schemas of GeoReport v2 are no part of the project"
        )
    resources = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.json")}
    schema = resources[name]
    if isinstance(schema.get("items"), dict) and "$ref" in schema["items"]:  # a reference by a file's name
        schema = {**schema, "items": resources[schema["items"]["$ref"]]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def faults(name: str, body: Any) -> list[str]:
    return [error.message for error in validator(name).iter_errors(body)]


@pytest.mark.parametrize("locale", list(Locale))
def test_services_and_definitions_are_as_the_official_schemas_say(locale: Locale) -> None:
    services = json.loads(json_of(GeoReportList(kind=Open311Service, items=OFFERS.services(locale))))
    assert faults("services.json", services) == []
    for one in services:
        assert faults("service.json", one) == []
        definition = json.loads(json_of(OFFERS.definition(one["service_code"], locale)))
        assert faults("service-definition.json", definition) == []


@pytest.mark.parametrize("in_full", [True, False])
@pytest.mark.parametrize("closed", [True, False])
def test_requests_are_as_the_official_schemas_say(in_full: bool, closed: bool) -> None:
    one = shown(found(in_full=in_full, closed=closed), OFFERS, Locale.EN, [])
    body = json.loads(json_of(GeoReportList(kind=ServiceRequest, items=[one])))
    assert faults("requests.json", body) == []
    assert faults("request.json", body[0]) == []


def test_the_schemas_find_what_is_wrong() -> None:
    assert faults("request.json", {"service_request_id": "1", "status": "half open"})
    assert faults("services.json", [{"service_code": "x", "metadata": "true"}])


# --- the rules of open311-adapter's schema, retold


def test_identifiers_instants_and_descriptions_are_as_the_strictest_reader_wants() -> None:
    for service in OFFERS.services(Locale.ZH):
        assert re.fullmatch(r"[\w-]+", service.service_code, re.ASCII)
        assert service.description
        orders = [one.order for one in OFFERS.definition(service.service_code, Locale.ZH).attributes]
        assert orders == list(range(1, len(orders) + 1))
    one = shown(found(), OFFERS, Locale.ZH)
    assert re.fullmatch(r"[\w-]+", one.service_request_id, re.ASCII)
    for at in (one.requested_datetime, one.updated_datetime, one.expected_datetime):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", str(at))


@given(st.datetimes(timezones=st.sampled_from([UTC, ZONE, timezone(timedelta(hours=-9, minutes=-30))])))
def test_an_instant_has_no_fraction_and_is_the_same(at: datetime) -> None:
    text = stamp(at, ZONE)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", text)
    assert datetime.fromisoformat(text) == at.replace(microsecond=0)


# --- spans


def test_a_span_is_at_most_ninety_days_and_ends_now_where_nobody_says_otherwise() -> None:
    now = datetime(2021, 10, 1, tzinfo=UTC)
    assert asked_span("", "", now) == (now - timedelta(days=SPAN_DAYS_MAX), now)
    assert asked_span("2021-09-01T00:00:00Z", "", now).last == now
    assert asked_span("2021-01-01T00:00:00Z", "", now).last == datetime(2021, 4, 1, tzinfo=UTC)
    assert asked_span("", "2021-09-01T08:00:00 08:00", now).last == datetime(2021, 9, 1, tzinfo=UTC)
    for first, last in (
        ("2021-01-01T00:00:00Z", "2021-04-01T00:00:01Z"),
        ("2021-01-02T00:00:00Z", "2021-01-01T00:00:00Z"),
        ("yesterday", ""),
        ("", "2021-01-01"),
    ):
        assert (
            refused(lambda first=first, last=last: asked_span(first, last, now)).kind is ProblemKind.BAD_EVENT
        )
    assert asked_span("0001-01-01T00:00:00Z", "", now).first.year == 1
    assert asked_span("", "0001-01-01T00:00:00Z", now).last.year == 1


# --- forms


async def read(content_type: str, body: bytes) -> GivenForm:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", content_type.encode())]
    return await form_of(Request({"type": "http", "method": "POST", "headers": headers}, receive))


def multipart(parts: list[tuple[str, str]], file: str = "") -> bytes:
    made = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts
    ]
    if file:
        made.append(
            f'--x\r\nContent-Disposition: form-data; name="media"; filename="{file}"\r\n'
            "Content-Type: image/jpeg\r\n\r\nbytes\r\n"
        )
    return ("".join(made) + "--x--\r\n").encode()


async def test_a_form_is_read_alike_urlencoded_and_multipart() -> None:
    body = "description=%E6%B2%A1%E6%9C%89%E6%B0%B4&attribute%5Btitle%5D=t&media_url=a&media_url%5B%5D=b"
    for form in (
        await read("application/x-www-form-urlencoded; charset=utf-8", body.encode()),
        await read(
            "multipart/form-data; boundary=x",
            multipart(
                [
                    ("description", "没有水"),
                    ("attribute[title]", "t"),
                    ("media_url", "a"),
                    ("media_url[]", "b"),
                ]
            ),
        ),
    ):
        assert form.one("description") == "没有水"
        assert form.attributes == {"title": "t"}
        assert form.many("media_url") == ["a", "b"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("text/xml", b"<request/>"),
        ("application/x-www-form-urlencoded", b"a=%ff%fe"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(FIELDS_MAX + 1))),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"no part"),
        ("multipart/form-data; boundary=x", multipart([("a", "1")], file="me.jpg")),
        ("multipart/form-data; boundary=x", multipart([("a", "1" * 70_000)])),
    ],
)
async def test_what_is_no_form_is_refused_in_words(content_type: str, body: bytes) -> None:
    with pytest.raises(HttpRefusal) as answer:
        await read(content_type, body)
    assert answer.value.kind in {ProblemKind.BAD_EVENT, ProblemKind.WRONG_TYPE}
    assert answer.value.problem.detail.endswith(".")


# --- what is put on record


def test_a_request_of_fixmystreet_is_put_on_record() -> None:
    """The requests that its client sends: perllib/Open311.pm, retold."""
    made = recorded(
        lat="39.984702",
        long="116.318417",
        first_name="三",
        last_name="张",
        email="zhang@example.org",
        phone="13800138000",
        media_url=["https://fix.example/1.jpeg", "https://fix.example/2.jpeg"],
        deviceid="web",
        attribute__title="没有水",
        attribute__district="district-haidian",
        attribute__request_type="COMPLAINT",
    )
    assert made.subject == "公共服务/供水"
    assert (made.district, made.street) == ("海淀区", "中关村街道")
    assert made.request_type is RequestType.COMPLAINT
    assert made.urgency is RULES.class_for("公共服务/供水") is not Urgency.GENERAL_7D
    assert made.title == "没有水"
    assert not made.anonymous
    assert without_media(made.content) == (
        "没有水\n三天没有水",
        ["https://fix.example/1.jpeg", "https://fix.example/2.jpeg"],
    )
    words, point = without_point(made.address)
    assert (words, point) == ("北京市海淀区中关村街道5号", (39.984702, 116.318417))


SAYS_WHO: Final = (*NAMED, "device_id", "deviceid", "account_id")


def test_nothing_that_says_who_it_was_is_in_the_event() -> None:
    marked = {name: f"MARK{place}MARK" for place, name in enumerate(SAYS_WHO)}
    event = msgspec.json.encode(recorded(**marked)).decode()
    assert "MARK" not in event


def test_a_contact_is_read_from_its_fields() -> None:
    contact = contact_in_form(
        fields(first_name="三", last_name="张", email="z@example.org", phone="138 0013 8000")
    )
    assert contact is not None
    assert (contact.name, contact.email, contact.phone) == ("张三", "z@example.org", "138 0013 8000")
    english = contact_in_form(fields(first_name="Ann", last_name="Lee"))
    assert english is not None
    assert (english.name, english.phone) == ("Ann Lee", "")
    assert contact_in_form(fields(device_id="d-1", account_id="a-1")) is None


@pytest.mark.parametrize(
    ("more", "field"),
    [({"phone": "MARK"}, "phone"), ({"email": "MARK"}, "email"), ({"first_name": "MARK" * 50}, "first_name")],
)
def test_a_contact_that_is_none_is_refused_without_a_word_of_it(more: dict[str, str], field: str) -> None:
    answer = refused(lambda: contact_in_form(fields(**more)))
    assert answer.problem.field == field
    assert "MARK" not in answer.problem.detail


def test_whoever_names_nobody_is_anonymous() -> None:
    assert recorded().anonymous
    assert not recorded(email="a@example.org").anonymous


def test_confidential_is_said_by_an_attribute() -> None:
    assert recorded(attribute__confidential="true").confidential
    assert not recorded(attribute__confidential="false").confidential


@pytest.mark.parametrize(
    ("where", "district", "street"),
    [
        ({"address_string": "望京街道阜通东大街"}, "朝阳区", "望京街道"),
        ({"address_string": "朝阳区某处"}, "朝阳区", None),
        ({"address_string": "某处"}, UNKNOWN_DISTRICT, None),
        ({"address_string": "海淀区与朝阳区交界"}, UNKNOWN_DISTRICT, None),
        ({"address_string": "", "lat": "39.9", "long": "116.3"}, UNKNOWN_DISTRICT, None),
        ({"address_string": "", "address_id": "A-1"}, UNKNOWN_DISTRICT, None),
        ({"attribute__district": "西城区", "address_string": "5号"}, "西城区", None),
        ({"attribute__street": "street-chaoyang-wangjing", "address_string": "5号"}, "朝阳区", "望京街道"),
    ],
)
def test_district_and_street_are_found_where_they_are_named(
    where: dict[str, str], district: str, street: str | None
) -> None:
    made = recorded(**where)
    assert (made.district, made.street) == (district, street)


def test_a_title_is_the_first_line_or_the_service() -> None:
    assert recorded().title == "没有水"
    assert recorded(description="").title == "公共服务/供水"
    assert recorded(description="\n \n" + "字" * 90).title == "字" * 50


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"service_code": ""}, "service_code"),
        ({"service_code": "none-such"}, "service_code"),
        ({"address_string": ""}, "lat"),
        ({"lat": "39.9"}, "long"),
        ({"lat": "91", "long": "1"}, "lat"),
        ({"lat": "nan", "long": "1"}, "lat"),
        ({"lat": "39,9", "long": "1"}, "lat"),
        ({"description": "长" * 4001}, "description"),
        ({"address_string": "长" * 301}, "address_string"),
        ({"media_url": "javascript:alert(1)"}, "media_url"),
        ({"media_url": "https://x.example/a b"}, "media_url"),
        ({"media_url": ["https://x.example"] * 21}, "media_url"),
        ({"description": "长" * 3990, "media_url": "https://x.example/1"}, "media_url"),
        ({"descripton": "misspelt"}, "descripton"),
        ({"email": ["a@example.org", "b@example.org"]}, "email"),
        ({"attribute__nothing": "x"}, "attribute[nothing]"),
        ({"attribute__district": "nowhere"}, "attribute[district]"),
        (
            {"attribute__district": "西城区", "attribute__street": "street-chaoyang-wangjing"},
            "attribute[street]",
        ),
        ({"attribute__request_type": "WISH"}, "attribute[request_type]"),
        ({"attribute__confidential": "perhaps"}, "attribute[confidential]"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field(more: dict[str, Any], field: str) -> None:
    answer = refused(lambda: recorded(**more))
    assert answer.problem.field == field
    assert "example.org" not in answer.problem.detail


def test_the_same_key_of_idempotence_is_the_same_request_of_the_same_login() -> None:
    first, again = numbers_of("portal", "/agents/portal", "k"), numbers_of("portal", "/agents/portal", "k")
    assert first == again
    others = [numbers_of("other", "/agents/portal", "k"), numbers_of("portal", "/agents/portal", "l")]
    assert len({first, *others}) == 3
    assert first.request_id.split(":")[1] == "portal"
    assert len(numbers_of("x" * 80, "/x", "k").request_id) <= 128


# --- what is shown


def test_the_public_reads_no_free_text() -> None:
    one = found(
        in_full=False,
        content="MARK words",
        address="MARK street 5",
        attachments=["https://x.example/MARK"],
        district="MARK district",
        street="MARK road",
        subject="MARK subject",
    )
    for locale in Locale:
        body = GeoReportList(kind=ServiceRequest, items=[shown(one, OFFERS, locale, [])])
        assert b"MARK" not in json_of(body) + xml_of(body)
    known = shown(found(in_full=False), OFFERS, Locale.ZH)
    assert known.address == "中关村街道 海淀区"
    assert known.description is msgspec.UNSET
    assert known.lat is known.media_url is msgspec.UNSET


def test_its_own_sender_reads_all_of_it() -> None:
    one = shown(found(), OFFERS, Locale.ZH, [])
    assert one.description == "三天没有水"
    assert one.address == "小关街5号 中关村街道 海淀区"
    assert (one.lat, one.long) == (39.98, 116.35)
    assert one.media_url == "https://pictures.example/1.jpg"
    assert one.extended_attributes.photos == [
        "https://pictures.example/1.jpg",
        "https://pictures.example/2.jpg",
    ]
    assert one.agency_responsible == "市自来水集团"
    assert one.expected_datetime == "2021-10-08T23:59:59+08:00"


def test_a_closed_one_is_expected_no_more() -> None:
    one = shown(found(closed=True, stage="ENDED"), OFFERS, Locale.EN)
    assert (one.status, one.expected_datetime, one.status_notes) == ("closed", msgspec.UNSET, "Ended")


EXAMPLES: Final = [one for one in vars(eg).values() if isinstance(one, Fact) and type(one) in TOLD]


def test_every_kind_that_is_told_has_an_example() -> None:
    assert {type(one) for one in EXAMPLES} == set(TOLD)


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_a_fact_is_told_in_our_words_alone(fact: Fact) -> None:
    offers = ServiceOffers(eg.CATALOGUE)
    for locale in Locale:
        line = told(fact, offers, locale, in_full=False)
        assert line is not None
        assert line.state in STATES
        texts = {name: value for name, value in msgspec.to_builtins(fact).items() if isinstance(value, str)}
        for name in ("result", "text", "reason", "content", "title", "address", "reviewer", "approved_by"):
            if texts.get(name):
                assert texts[name] not in line.sentence, name
    if locale is Locale.EN:
        assert "{" not in line.sentence


def test_what_a_unit_says_is_told_to_the_sender_without_numbers() -> None:
    fact = msgspec.structs.replace(eg.ANSWERED, result="已修好,联系13800138000")
    line = told(fact, OFFERS, Locale.ZH, in_full=True)
    assert line is not None
    assert line.sentence.endswith(": 已修好,联系***")
    assert masked("5号楼") == "5号楼"


def test_a_fact_that_is_not_in_the_table_is_not_told() -> None:
    assert told(eg.RETURN_REQUESTED, OFFERS, Locale.ZH, in_full=True) is None


# --- what a citizen adds


def update(status: str, text: str = "还是没有水", **more: str) -> Any:
    return input_of(
        GivenForm({"description": text, **more}.items()), status, ComplaintId(COMPLAINT), "own-1", "/agents"
    )


@pytest.mark.parametrize("status", ADDS)
def test_a_state_that_says_nothing_new_is_a_supplement(status: str) -> None:
    made = update(status)
    assert isinstance(made, SupplementRequest)
    assert (made.complaint_id, made.text) == (COMPLAINT, "还是没有水")
    assert refused(lambda: update(status, "")).problem.field == "description"


@pytest.mark.parametrize("status", SOLVED)
def test_solved_is_a_rating(status: str) -> None:
    made = update(status)
    assert isinstance(made, GiveRating)
    assert (made.satisfied, made.comment) == (True, "还是没有水")


@pytest.mark.parametrize("status", AGAIN)
def test_reopen_brings_the_matter_up_again(status: str) -> None:
    made = update(status)
    assert isinstance(made, RepeatRequest)
    assert (made.repeat_id, made.note, made.another_citizen) == ("own-1", "还是没有水", False)
    assert refused(lambda: update(status, "长" * 401)).problem.field == "description"


def test_a_file_or_an_address_beside_an_update_is_refused_and_not_lost() -> None:
    assert refused(lambda: update("OPEN", media_url="https://x.example/1")).problem.field == "media_url"


def test_no_state_stands_in_two_rows() -> None:
    every = [*ADDS, *SOLVED, *AGAIN, *DECIDED_HERE]
    assert len(every) == len(set(every))


def test_an_accepted_request_has_a_token_and_no_number() -> None:
    accepted = AcceptedRequest(token="t-1", service_notice="n")  # noqa: S106 -- a number to ask for, no secret
    body = GeoReportList(kind=AcceptedRequest, items=[accepted])
    root = read_xml(xml_of(body))
    assert root.findtext("request/token") == "t-1"
    assert root.find("request/service_request_id") is None
