"""The metrics of one process: what its parts count, how it is built, and what the system says of it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from shared.log.log_format import LOG_FORMAT
from shared.runtime.metric_names import (
    COUNTERS,
    GAUGES,
    HISTOGRAMS,
    CounterName,
    GaugeName,
    HistogramName,
    part_of,
    shown_as,
)
from shared.versions import release

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter and histogram that nobody asks for


class Metrics:
    """The metrics of one process; those of a part are shown from the moment the process has it."""

    def __init__(self, service: str) -> None:
        """`service` is its name; nothing is kept yet but what the system says of the process."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        built = Info("hotline_build", "of what release this process is", registry=self.registry)
        built.info(
            {
                "service": service,
                "version": release(),
                "log_format": str(LOG_FORMAT),
                "python": platform.python_version(),
            }
        )
        self._progress = Gauge(
            "hotline_progress_timestamp_seconds",
            "when a batch, a look or a tick was last completed, in Unix time; it stands still with the process",
            registry=self.registry,
        )
        self.progressed()
        self._parts: set[str] = set()
        self._families: dict[str, Any] = {}
        self._children: dict[tuple[str, str], Any] = {}

    def keeps(self, part: str, *labels: str) -> None:
        """The process has this part; `labels`: values of its metrics' label, shown from the start as nothing."""
        if part not in self._parts:
            self._parts.add(part)
            self._open(part)
        labelled = [name for name, metric in (COUNTERS | GAUGES | HISTOGRAMS).items() if metric[1]]
        for name in labelled:
            if part_of(name) == part:
                for label in labels:
                    self._child(name, label)

    def _open(self, part: str) -> None:
        registry = self.registry
        for counter, (text, names) in COUNTERS.items():
            if part_of(counter) == part:
                self._families[counter] = Counter(shown_as(counter), text, names, registry=registry)
        for gauge, (text, names) in GAUGES.items():
            if part_of(gauge) == part:
                self._families[gauge] = Gauge(shown_as(gauge), text, names, registry=registry)
        for name, (text, names, buckets) in HISTOGRAMS.items():
            if part_of(name) == part:
                self._families[name] = Histogram(
                    shown_as(name), text, names, buckets=buckets, registry=registry
                )

    def count(self, name: CounterName, by: float, label: str) -> None:
        """Add to a counter; `label`: the value of its label, empty where it has none."""
        self._child(name, label).inc(by)

    def observe(self, name: HistogramName, value: float, label: str) -> None:
        """Add one observation."""
        self._child(name, label).observe(value)

    def show(self, name: GaugeName, value: float, label: str) -> None:
        """Set a gauge."""
        self._child(name, label).set(value)

    def ask(self, name: GaugeName, value: Callable[[], float], label: str) -> None:
        """Ask for a gauge whenever somebody reads it, in the reader's thread."""
        self._child(name, label).set_function(value)

    def progressed(self) -> None:
        """Something was completed just now."""
        self._progress.set_to_current_time()

    def _child(self, name: str, label: str) -> Any:
        child = self._children.get((name, label))
        if child is None:
            if name not in self._families:
                self.keeps(part_of(name))
            family = self._families[name]
            child = self._children[name, label] = family.labels(label) if label else family
        return child


def write_target(folder: str, job: str, instance: str, address: str, port: int) -> None:
    """Write where a process answers into a file of this folder, as Prometheus reads targets (`file_sd_configs`)."""
    told = [{"targets": [f"{address}:{port}"], "labels": {"job": job, "instance": instance}}]
    file = Path(folder) / f"{instance}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_suffix(f".{os.getpid()}")  # Prometheus reads a file the moment it is there
    half.write_text(json.dumps(told) + "\n", encoding="utf-8")
    half.replace(file)
