"""The figures of the operations page: rates that a restart does not set back, durations, what is known and what not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from deploy.processes import EACH_ADDRESS
from hotline.web.pages.operations.graph import DrawnEdge, DrawnStation, graph_svg
from hotline.web.pages.operations.readings import (
    KEPT_SECONDS,
    STALE_SECONDS,
    STARTED,
    Quantile,
    SeriesKey,
    SourceHistory,
    quantile,
    read,
)
from hotline.web.pages.operations.stations import Station, stations_of
from hotline.web.pages.operations.watch import (
    FETCH_SECONDS,
    MetricSource,
    OperationsWatch,
    SourceAtWork,
    asked_of,
    sources_in,
)
from hotline.web.pages.operations.work import work_of
from shared.runtime.metrics import Metrics, write_target
from shared.runtime.processor_time import ProcessorWork
from shared.runtime.telemetry import Telemetry

COUNT = "hotline_door_messages_total"
KEY = SeriesKey(COUNT, "requests")


def history(*values: float, started: tuple[float, ...] = ()) -> SourceHistory:
    """Readings of one counter, five seconds apart."""
    made = SourceHistory()
    for number, value in enumerate(values):
        told = {KEY: value}
        if started:
            told[SeriesKey(STARTED)] = started[number]
        made.add(5.0 * number, told)
    return made


def rate(one: SourceHistory, now: float, seconds: float = 60.0) -> float:
    span = one.over(now, seconds)
    assert span is not None
    return span.rate(COUNT, "requests")


def test_a_rate_is_what_a_counter_grew_by_a_second() -> None:
    assert rate(history(100, 110, 130), 10) == pytest.approx(3.0)


def test_a_counter_that_is_lower_than_before_began_again_at_nothing() -> None:
    assert rate(history(100, 110, 5), 10) == pytest.approx(1.5)


def test_a_process_that_was_started_again_counts_whole_even_where_it_is_further_by_now() -> None:
    assert rate(history(100, 110, 130, started=(1, 1, 2)), 10) == pytest.approx(14.0)


def test_a_series_that_comes_later_counts_from_nothing() -> None:
    made = SourceHistory()
    made.add(0, {})
    made.add(10, {KEY: 50})
    assert rate(made, 10) == pytest.approx(5.0)


def test_one_reading_tells_no_rate_and_an_old_one_none_of_now() -> None:
    assert history(100).over(0, 60) is None
    assert history(1, 2).over(5 + STALE_SECONDS + 1, 3600) is None


def test_an_hour_is_kept_and_no_more() -> None:
    made = SourceHistory()
    for number in range(int(KEPT_SECONDS / 5) + 200):
        made.add(5.0 * number, {KEY: float(number)})
    span = made.over(5.0 * number, 10 * KEPT_SECONDS)
    assert span is not None
    assert span.seconds == pytest.approx(KEPT_SECONDS)


def test_a_quantile_lies_within_its_bucket_and_says_where_it_lies_beyond_all() -> None:
    buckets = {0.1: 90.0, 0.2: 100.0, float("inf"): 100.0}
    assert quantile(0.95, [buckets]) == Quantile(pytest.approx(0.15))
    assert quantile(0.95, [{0.1: 0.0, float("inf"): 10.0}]) == Quantile(0.1, beyond=True)
    assert quantile(0.95, [{0.1: 0.0, float("inf"): 0.0}]) is None
    assert quantile(0.95, []) is None


def test_two_processes_of_one_desk_are_one_station_and_one_of_them_can_be_away() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    sources = [
        SourceAtWork(MetricSource("intake", "intake-1", "a:1"), history(0, 100), None),
        SourceAtWork(MetricSource("intake", "intake-2", "a:2"), history(0, 50), None),
        SourceAtWork(MetricSource("intake", "intake-3", "a:3"), history(0, 1000), since),
    ]
    (station,) = stations_of(sources, 5)
    assert station.answering == 2
    assert [one.name for one in station.away] == ["intake-3"]
    (edge,) = station.into
    assert edge.place == "intake.requests"
    assert edge.now is not None
    assert edge.now.rate == pytest.approx(30.0)


def test_what_a_real_process_shows_becomes_its_edges_and_its_work() -> None:
    metrics, made = Metrics("intake"), SourceHistory()
    metrics.keeps("door", "requests")
    metrics.keeps("desk", *ProcessorWork)
    from prometheus_client import generate_latest

    made.add(0, read(generate_latest(metrics.registry).decode()))
    metrics.count("door.messages", 40, "requests")
    metrics.count("door.retries", 2, "requests")
    metrics.observe("door.batch_seconds", 0.004, "requests")
    metrics.observe("desk.append_seconds", 0.003, "")
    metrics.count("desk.processor_seconds", 0.5, "rules")
    metrics.show("door.behind_messages", 7, "requests")
    made.add(10, read(generate_latest(metrics.registry).decode()))
    sources = [SourceAtWork(MetricSource("intake", "intake-1", "a:1"), made, None)]
    (station,) = stations_of(sources, 10)
    (into,), (out,) = station.into, station.out
    assert into.now is not None
    assert (into.now.rate, into.now.errors, into.lag) == (4.0, 2, 7.0)
    assert into.now.p95 is not None
    assert 0.002 < into.now.p95.seconds <= 0.005
    assert out.now is not None
    assert out.now.p95 is not None
    (work,) = work_of(sources, 10)
    assert work.working == pytest.approx(0.0004)
    assert work.postgres == pytest.approx(0.0003)
    assert work.kafka is None
    assert work.memory is not None
    assert work.half is not None
    assert 0.002 < work.half.seconds <= 0.005
    assert work.split == pytest.approx({"rules": 0.05, "unpacking": 0.0, "postgres": 0.0})
    assert work.rest == pytest.approx(max(work.processor - 0.05, 0.0))


def test_what_all_parts_of_a_page_show_is_reckoned_once_a_look() -> None:
    asked: list[float] = []

    def reckon(sources: list[SourceAtWork], now: float) -> list[Station]:
        asked.append(now)
        return stations_of(sources, now)

    watch = OperationsWatch("", Telemetry("web"))
    assert watch.reckoned(reckon, 1.0) is watch.reckoned(reckon, 2.0)
    assert asked == [1.0]
    watch.reckoned(reckon, 1.0 + FETCH_SECONDS + 0.1)  # no look has come meanwhile
    assert len(asked) == 2


def test_each_listener_of_the_http_door_has_its_edges() -> None:
    """In containers the one for staff is a process of its own, and the pages are there."""
    sources = [
        SourceAtWork(MetricSource(job, f"{job}-1", "a:1"), SourceHistory(), None) for job in ("staff", "web")
    ]
    web, staff = stations_of(sources, 5)
    assert (web.job, staff.job) == ("web", "staff")
    for one in (web, staff):
        assert "pages" in [edge.place for edge in one.into]
        assert [edge.place for edge in one.out] == ["topics of inputs"]


def test_text_that_is_no_metrics_is_an_error_and_foreign_series_are_left_out() -> None:
    with pytest.raises(ValueError, match="float"):
        read('hotline_door_messages_total{door="requests"} many\n')
    assert read("somebody_elses_total 5\n") == {}


def test_each_address_behind_a_name_is_a_process_and_a_name_without_one_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "targets.json"
    labels = {"job": "intake", EACH_ADDRESS: "yes"}
    file.write_text(json.dumps([{"targets": ["intake-metrics:9090"], "labels": labels}]), encoding="utf-8")
    known = {"intake-metrics": ["10.0.0.7", "10.0.0.5", "10.0.0.5", "fd00::1"]}

    def names(host: str, port: str, **_: object) -> list[tuple[object, ...]]:
        if host not in known:
            raise OSError(host)
        return [(0, 0, 0, "", (one, int(port))) for one in known[host]]

    monkeypatch.setattr("hotline.web.pages.operations.watch.socket.getaddrinfo", names)
    assert [tuple(one)[:3] for one in asked_of(str(file))] == [
        ("intake", "intake 10.0.0.5", "10.0.0.5:9090"),
        ("intake", "intake 10.0.0.7", "10.0.0.7:9090"),
        ("intake", "intake fd00::1", "[fd00::1]:9090"),
    ]
    known.clear()
    assert [one.address for one in asked_of(str(file))] == ["intake-metrics:9090"]


def test_the_list_of_targets_is_a_file_or_a_folder_and_what_is_no_list_is_passed_over(tmp_path: Path) -> None:
    write_target(str(tmp_path), "intake", "intake-1", "127.0.0.1", 7)
    (tmp_path / "broken.json").write_text("[{")
    (tmp_path / "other.json").write_text('{"targets": 5}')
    (tmp_path / "third.json").write_text("[7]")
    expected = [MetricSource("intake", "intake-1", "127.0.0.1:7")]
    assert sources_in(str(tmp_path)) == expected
    assert sources_in(str(tmp_path / "intake-1.json")) == expected
    assert sources_in(str(tmp_path / "nothing.json")) == []
    (tmp_path / "plain.json").write_text(json.dumps([{"targets": ["h:1"]}]))
    assert MetricSource("plain", "h:1", "h:1") in sources_in(str(tmp_path))


def test_the_graph_draws_neighbours_of_one_name_once_and_nothing_but_classes_for_looks() -> None:
    def edge(place: str) -> DrawnEdge:
        return DrawnEdge(place, "1/s", "<0>", bad=False, idle=False)

    stations = [
        DrawnStation("intake", "", away=False, into=[edge("a"), edge("b")], out=[edge("log")]),
        DrawnStation("dispatch", "away", away=True, into=[edge("c")], out=[edge("log")]),
    ]
    svg = graph_svg(stations, "a & b")
    drawn = ET.fromstring(svg)  # noqa: S314 -- our own picture
    rects = [one.get("class") for one in drawn.iter() if one.tag.endswith("rect")]
    assert rects.count("place") == 4
    assert "service away" in rects
    assert "style=" not in svg
