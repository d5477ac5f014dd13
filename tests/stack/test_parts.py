"""The pinned jars: only what is pinned is ever used."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deploy.embedded import parts
from deploy.embedded.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

SMALL = next(jar for jar in parts.kafka().jars if jar.artifact == "jspecify")
SMALL_PART = parts.StackPart(label="Small", version=SMALL.version, jars=(SMALL,), size_bytes=3_819)


def test_kafkas_own_jars_are_all_of_its_version() -> None:
    """`jgo lock` without the "!" once put kafka-clients 3.9.1 beside Kafka 4.4.0."""
    kafka = parts.kafka()
    versions = {jar.version for jar in kafka.jars if jar.group == "org.apache.kafka"}
    assert versions == {kafka.version}


def test_every_jar_is_pinned_by_a_sha256() -> None:
    jars = (*parts.kafka().jars, *parts.ZIPKIN.jars)
    assert len(jars) == 46
    assert all(len(jar.sha256) == 64 and set(jar.sha256) <= set("0123456789abcdef") for jar in jars)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Give a cache of this test's own that holds the one small jar, unchecked."""
    parts.fetch([parts.kafka()], print)
    target = tmp_path / "jars" / SMALL.path
    target.parent.mkdir(parents=True)
    shutil.copyfile(parts.default_cache() / SMALL.path, target)
    return tmp_path / "jars"


@pytest.mark.connected
def test_a_jar_as_pinned_is_taken(cache: Path) -> None:
    said: list[str] = []
    parts.fetch([SMALL_PART], said.append, cache_folder=cache)
    assert SMALL_PART.paths(cache) == [cache / SMALL.path]
    assert said == []


@pytest.mark.connected
def test_a_jar_with_one_other_byte_is_refused_by_name(cache: Path) -> None:
    _change_a_byte(cache / SMALL.path)
    with pytest.raises(StackError, match=rf"^{SMALL.file_name} .* is pinned, so nothing was started"):
        parts.fetch([SMALL_PART], print, cache_folder=cache)


@pytest.mark.connected
def test_a_jar_changed_after_it_was_checked_is_refused(cache: Path) -> None:
    parts.fetch([SMALL_PART], print, cache_folder=cache)
    _change_a_byte(cache / SMALL.path)
    with pytest.raises(StackError, match=SMALL.file_name):
        parts.fetch([SMALL_PART], print, cache_folder=cache)


@pytest.mark.connected
def test_a_new_pin_is_compared_though_the_old_one_was(cache: Path) -> None:
    parts.fetch([SMALL_PART], print, cache_folder=cache)
    other_pin = replace(SMALL_PART, jars=(replace(SMALL, sha256="0" * 64),))
    with pytest.raises(StackError, match=SMALL.file_name):
        parts.fetch([other_pin], print, cache_folder=cache)


@pytest.mark.connected
def test_what_the_registry_sends_is_refused_and_not_kept_when_it_differs(tmp_path: Path) -> None:
    other_pin = replace(SMALL_PART, jars=(replace(SMALL, sha256="0" * 64),))
    with pytest.raises(StackError, match=rf"^{SMALL.file_name} came from the registry with sha256 "):
        parts.fetch([other_pin], print, cache_folder=tmp_path)
    assert list(tmp_path.rglob("*.jar")) == []


@pytest.mark.connected
def test_a_jar_the_registry_does_not_have_is_named(tmp_path: Path) -> None:
    unknown = replace(SMALL_PART, jars=(replace(SMALL, version="0.0.0"),))
    with pytest.raises(StackError, match=r"^jspecify-0\.0\.0\.jar could not be fetched: "):
        parts.fetch([unknown], print, cache_folder=tmp_path)


@pytest.mark.connected
def test_two_processes_that_fetch_at_once_both_get_whole_jars(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from deploy.embedded import parts;"
        "small = [jar for jar in parts.kafka().jars if jar.artifact in ('jspecify', 're2j', 'pcollections')];"
        "part = parts.StackPart(label='Small', version='1', jars=tuple(small), size_bytes=1);"
        "parts.fetch([part], print, cache_folder=Path(sys.argv[1]))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len(list(tmp_path.rglob("*.jar"))) == 3
    assert list(tmp_path.glob("fetching-*")) == []
    assert sum("fetched and checked in" in output for output in said) == 1, said


@pytest.mark.connected
def test_the_second_time_takes_no_time() -> None:
    everything = [parts.kafka(), parts.ZIPKIN]
    parts.fetch(everything, print)
    began = time.monotonic()
    parts.fetch(everything, print)
    assert time.monotonic() - began < 0.3


def _change_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
