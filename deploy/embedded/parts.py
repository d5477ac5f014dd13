"""The pinned jars: fetched once into the user's cache, never used without their sha256.

Kafka's jars stand in `jgo.lock.toml`, made by `jgo lock` from `jgo.toml`. Zipkin's single jar stands here: it carries
its own libraries and must not meet Kafka's on one class path. Where jars come from is jgo's business; what may run is
ours.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from platformdirs import user_cache_dir

from deploy.embedded.atomic import write_atomically
from deploy.embedded.errors import StackError
from deploy.embedded.file_lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.progress import Progress, TaskID

FETCHES_MAX: Final = 4
ATTEMPTS_MAX: Final = 3
TIMEOUT_SECONDS: Final = 60
LOCK_FILE: Final = Path(__file__).with_name("jgo.lock.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One file of a Maven registry and the only content it may have."""

    group: str
    artifact: str
    version: str
    sha256: str
    classifier: str = ""

    @property
    def file_name(self) -> str:
        """Give the name it has in every Maven repository."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{suffix}.jar"

    @property
    def path(self) -> PurePosixPath:
        """Give its place below the root of a Maven repository."""
        return PurePosixPath(*self.group.split("."), self.artifact, self.version, self.file_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPart:
    """A program that comes as jars; `size_bytes` is for the progress bar alone."""

    label: str
    version: str
    jars: tuple[Jar, ...]
    size_bytes: int

    def paths(self, cache_folder: Path | None = None) -> list[Path]:
        """Say where the jars lie once `fetch` has returned."""
        root = cache_folder or default_cache()
        return [root / jar.path for jar in self.jars]


ZIPKIN: Final = StackPart(
    label="Zipkin",
    version="3.6.1",
    jars=(
        Jar(
            group="io.zipkin",
            artifact="zipkin-server",
            version="3.6.1",
            classifier="slim",
            sha256="981b1de6139b4f8f787a909c308028732f9713ae5284353d2a5aa404d1094775",
        ),
    ),
    size_bytes=86_436_567,
)


@cache
def kafka() -> StackPart:
    """Read Kafka's jars from the lock file; one without a sha256 is refused."""
    locked = tomllib.loads(LOCK_FILE.read_text(encoding="utf-8"))["dependencies"]
    jars = tuple(
        Jar(
            group=jar["groupId"],
            artifact=jar["artifactId"],
            version=jar["version"],
            classifier=jar.get("classifier", ""),
            sha256=jar.get("sha256") or _refuse_unpinned(jar["artifactId"]),
        )
        for jar in locked
    )
    version = next(jar.version for jar in jars if jar.artifact.startswith("kafka_"))
    return StackPart(label="Kafka", version=version, jars=jars, size_bytes=44_591_658)


def default_cache() -> Path:
    """Give the user's cache folder of this project, whatever the system calls it."""
    return Path(user_cache_dir("hotline", appauthor=False)) / "jars"


def fetch(
    parts: Sequence[StackPart],
    say: Callable[[str], None],
    *,
    cache_folder: Path | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Have every jar of the parts in the cache, each with its pinned sha256, or raise `StackError`.

    A part that was checked before is only looked at (size and time of change), so the second
    time takes milliseconds. Blocks; set `stop` from another thread to end it early.
    """
    root = cache_folder or default_cache()
    stop = stop or threading.Event()
    jars = [jar for part in parts for jar in part.jars]
    if _all_checked(jars, root):
        return
    lock = FileLock(root / "fetch.lock")
    waiting = False
    while not lock.try_acquire():
        if not waiting:
            say("another process is fetching the same jars; waiting for it")
            waiting = True
        if stop.wait(0.1):
            return
    try:
        _fetch_missing(parts, say, root, stop)
    finally:
        lock.release()


def _fetch_missing(
    parts: Sequence[StackPart], say: Callable[[str], None], root: Path, stop: threading.Event
) -> None:
    began = time.monotonic()
    checked = _read_checked(root)
    fetched_bytes = 0
    for abandoned in root.glob("fetching-*"):  # by a process that was killed: we hold the lock
        shutil.rmtree(abandoned, ignore_errors=True)
    with _progress() as progress:
        for part in parts:
            missing = [jar for jar in part.jars if not (root / jar.path).exists()]
            for jar in part.jars:
                if jar not in missing:
                    _check(jar, root / jar.path, checked, came="lies in the cache")
            if missing:
                fetched_bytes += _fetch_part(
                    part, missing, root=root, checked=checked, progress=progress, stop=stop
                )
            if stop.is_set():
                return
            if missing and progress is None:
                files = "1 jar" if len(part.jars) == 1 else f"{len(part.jars)} jars"
                say(f"{part.label} {part.version}: {files} fetched and checked")
    write_atomically(root / "checked.json", json.dumps(checked, indent=1))
    if fetched_bytes:
        seconds = time.monotonic() - began
        say(f"{fetched_bytes / 1e6:.0f} MB of jars fetched and checked in {seconds:.0f} s, kept in {root}")


def _fetch_part(
    part: StackPart,
    missing: Sequence[Jar],
    *,
    root: Path,
    checked: dict[str, list[int | str]],
    progress: Progress | None,
    stop: threading.Event,
) -> int:
    """Fetch what is missing; a jar appears in the cache whole and checked, or not at all."""
    fetched_bytes = 0
    arrived = threading.Lock()
    task: TaskID | None = None
    if progress is not None:
        task = progress.add_task(f"{part.label} {part.version}", total=part.size_bytes)
        there = sum((root / jar.path).stat().st_size for jar in part.jars if jar not in missing)
        progress.update(task, completed=there)

    def on_bytes(count: int) -> None:
        if stop.is_set():
            raise _Stopped
        if progress is not None and task is not None:
            progress.advance(task, count)

    staging = Path(tempfile.mkdtemp(prefix="fetching-", dir=root))

    def fetch_one(jar: Jar) -> None:
        nonlocal fetched_bytes
        if stop.is_set():
            return
        fresh = _download(jar, staging, on_bytes, stop)
        if fresh is None:
            return
        target = root / jar.path
        with arrived:
            _check(jar, fresh, {}, came="came from the registry")
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh.replace(target)
            _check(jar, target, checked, came="lies in the cache")
            fetched_bytes += target.stat().st_size

    try:
        with ThreadPoolExecutor(max_workers=FETCHES_MAX) as pool:
            for result in [pool.submit(fetch_one, jar) for jar in missing]:
                try:
                    result.result()
                except BaseException:
                    stop.set()  # the others need not finish
                    raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return fetched_bytes


class _Stopped(Exception):  # noqa: N818 -- not an error: we were asked to
    """The caller has no more use for the jars."""


def _download(jar: Jar, staging: Path, on_bytes: Callable[[int], None], stop: threading.Event) -> Path | None:
    """Fetch one jar into the staging folder through jgo; None when stopped."""
    # Imported here: the client costs a third of a second, and is used once in a machine's life.
    from jgo.maven import MavenContext, PythonResolver
    from requests import RequestException

    @contextmanager
    def progress(_file_name: str, _total: int) -> Iterator[Callable[[int], None]]:
        yield on_bytes

    context = MavenContext(
        resolver=PythonResolver(progress_callback=progress), repo_cache=staging, timeout=TIMEOUT_SECONDS
    )
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    reason = ""
    for attempt in range(ATTEMPTS_MAX):
        if attempt:
            (staging / jar.path).unlink(missing_ok=True)
            if stop.wait(attempt):
                return None
        try:
            return component.artifact(classifier=jar.classifier).resolve()
        except _Stopped:
            return None
        except RequestException:  # before OSError, which it is a kind of
            reason = "the Maven registry cannot be reached or broke off"
        except RuntimeError:
            reason = "the Maven registry answers that it has no such file"
        except OSError as error:
            reason = f"{error.strerror or error} in {staging.parent}"
    raise StackError(
        f"{jar.file_name} could not be fetched: {reason}. Look at the network and run the same command "
        f"again; what has arrived is kept."
    )


def _check(jar: Jar, file: Path, checked: dict[str, list[int | str]], *, came: str) -> None:
    """Compare a jar with its pin, and remember what was compared; refuse a difference."""
    state = _state(jar, file)
    if checked.get(str(jar.path)) == state:
        return
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != jar.sha256:
        raise StackError(
            f"{jar.file_name} {came} with sha256 {found} but {jar.sha256} is pinned, so nothing was started; "
            f"remove {file} and run the same command again, and if it differs again trust neither."
        )
    checked[str(jar.path)] = state


def _all_checked(jars: Sequence[Jar], root: Path) -> bool:
    checked = _read_checked(root)
    try:
        return all(checked.get(str(jar.path)) == _state(jar, root / jar.path) for jar in jars)
    except FileNotFoundError:
        return False


def _state(jar: Jar, file: Path) -> list[int | str]:
    stat = file.stat()
    return [stat.st_size, stat.st_mtime_ns, jar.sha256]


def _read_checked(root: Path) -> dict[str, list[int | str]]:
    try:
        found: dict[str, list[int | str]] = json.loads((root / "checked.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _progress() -> Progress | nullcontext[None]:
    """Show a live bar where a person looks on, nothing where a file or a CI log does."""
    from rich import progress  # only when something is fetched
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        return nullcontext(None)
    return progress.Progress(
        progress.TextColumn("{task.description:<14}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        console=console,
    )


def _refuse_unpinned(artifact: str) -> str:
    raise StackError(
        f"{artifact} has no sha256 in {LOCK_FILE.name}; run `jgo lock` beside it and commit the result."
    )
