"""What every command does around its work: run it, and say an error in one sentence."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it; what a person can do something about is said in one sentence, exit code 1.

    HOTLINE_DEBUG=1 shows the trace instead.
    """
    import asyncpg
    from aiokafka.errors import KafkaError

    from hotline.stack.errors import StackError
    from shared.catalogue import CatalogueInvalid

    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except (StackError, CatalogueInvalid) as error:
        if os.environ.get("HOTLINE_DEBUG"):
            raise
        fail(str(error))
    except (OSError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if os.environ.get("HOTLINE_DEBUG"):
            raise
        text = str(error).strip().splitlines()
        fail(f"Kafka or PostgreSQL does not answer as it should: {text[0] if text else error!r}")


def fail(sentence: str) -> NoReturn:
    """Say what is wrong and end with exit code 1."""
    print(sentence, file=sys.stderr)
    raise typer.Exit(1)
