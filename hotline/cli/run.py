"""The frame of every command: run its work, and say in one sentence what went wrong."""

from __future__ import annotations

import asyncio
import json as json_module
import logging
import os
import re
import sys
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from hotline.terminal import note, say, say_json
from shared.text import has_words, shown

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="For a program to read.")]
"""Every command that prints anything has it."""


class Interrupted(Exception):  # noqa: N818 -- a person's wish, not an error
    """A person stopped it; the text says what is left and how to go on."""


def run(work: Coroutine[Any, Any, T], *, interrupted: str = "") -> T:
    """Run it to its end. Ctrl-C ends with exit code 130, after the sentence `interrupted` if there is one."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise Interrupted(interrupted) from None


async def is_up(work: Coroutine[Any, Any, T], *, json: bool) -> T:
    """Do it; where the stack is not up, a program that wants JSON reads that too, and a person the reason."""
    from shared.runtime.errors import UserError

    try:
        return await work
    except UserError:
        if json:
            say_json('{"up": false}')
        raise


def answer(sentence: str, *, json: bool, **fields: object) -> None:
    """Print what was done: a sentence for a person, or one JSON object for a program."""
    if json:
        say_json(json_module.dumps(fields, ensure_ascii=False, default=str))
    else:
        say(sentence)


def fail(sentence: str, *, code: int = 1) -> NoReturn:
    """Say what is wrong and end; code 2 where it was typed wrongly."""
    note(sentence)
    raise typer.Exit(code)


def listed(text: str) -> tuple[str, ...]:
    """Several with commas between, Chinese ones too; an empty one is none."""
    return tuple(part.strip() for part in re.split("[,，、]", text) if has_words(part))


def demand_words(option: str, text: str) -> None:
    """End here, naming the option, where nobody could read what it says."""
    from shared.wording import wordless

    if not has_words(text):
        fail(f"{option}: {wordless(text)}.", code=2)


def one_of(option: str, text: str, known: Collection[str]) -> str:
    """The text, where it is one of those; else the command ends here and names them."""
    if text not in known:
        fail(f"{option}: '{text}', expected one of {', '.join(known)}.", code=2)
    return text


def sure(question: str, *, yes: bool) -> bool:
    """Ask before what cannot be undone; where nobody can be asked, only `--yes` goes on."""
    if yes:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        fail(f"{question} Say --yes.", code=2)
    return typer.confirm(question)


def stdin_bytes() -> bytes:
    """Read standard input whole; ends the command where that cannot be read."""
    if sys.stdin is None:  # closed by whoever started us
        fail("Standard input is closed: expected what is to be read from it.", code=2)
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        fail(f"Standard input cannot be read ({error.strerror}).", code=2)


def stdin_lines() -> Iterator[bytes]:
    """Read standard input line by line as it comes; ends the command where that cannot be read."""
    if sys.stdin is None:
        fail("Standard input is closed: expected what is to be read from it.", code=2)
    try:
        yield from sys.stdin.buffer
    except OSError as error:
        fail(f"Standard input cannot be read ({error.strerror}).", code=2)


def guarded(app: Callable[..., Any], words: Sequence[str] | None = None) -> NoReturn:
    """Do what was typed and end with its exit code; errors are one sentence on stderr, never a trace.

    HOTLINE_DEBUG=1 shows the trace instead. `words`: what was typed; else what the process was started with.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, TextIOWrapper
        ):  # what a terminal's encoding does not have is told by its number
            stream.reconfigure(errors="backslashreplace")
    if not os.environ.get("HOTLINE_DEBUG"):
        # While a broker is away, its clients write dozens of lines a second; what matters we say ourselves.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        code = app(words, standalone_mode=False)
    except typer.TyperException as wrong:
        _show_usage(wrong)
        sys.exit(wrong.exit_code)
    except typer.Abort:
        note("Aborted!")
        sys.exit(1)
    except Interrupted as stopped:
        if str(stopped):
            sys.stderr.write("\n")  # behind the ^C a terminal shows
            note(stopped)
        sys.exit(130)
    except Exception as error:  # whatever it is, a person reads it
        if os.environ.get("HOTLINE_DEBUG"):
            raise
        note(sentence(error))
        sys.exit(getattr(error, "exit_code", 1))
    sys.exit(code if isinstance(code, int) else 0)


def _show_usage(wrong: typer.TyperException) -> None:
    """Typer's sentence about an option or an argument that cannot be; it quotes it, so it is shown as foreign text.

    For a group without a command it says the help, which quotes nothing.
    """
    where = getattr(wrong, "ctx", None)
    if where is None or wrong.message != where.get_help():
        wrong.message = shown(wrong.message)
    show = getattr(wrong, "show", None)
    if show is None:
        note(wrong.format_message())
    else:
        show()  # with the line on usage before it


def sentence(error: Exception) -> str:
    """The sentence for a person about an error."""
    from ssl import SSLCertVerificationError

    from hotline.scoring.inhabitants import PopulationInvalid
    from shared.complaint import UnreadableHead
    from shared.contacts.details import ContactInvalid
    from shared.policy.catalogue import CatalogueInvalid
    from shared.policy.ruleset import RuleSetUnknown
    from shared.runtime.errors import UserError, not_believed
    from shared.text_file import FileUnreadable, quoted

    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    if isinstance(error, UserError | CatalogueInvalid | RuleSetUnknown):
        return str(error)
    if isinstance(error, FileUnreadable | UnreadableHead | PopulationInvalid | ContactInvalid):
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    if isinstance(error, SSLCertVerificationError):
        return not_believed(error)
    if (
        isinstance(error, OSError)
        and error.strerror
        and not isinstance(error, ConnectionError | TimeoutError)
    ):
        what = "The system refused" if error.filename is None else quoted(error.filename)
        return f"{what}: {error.strerror}."
    return _of_servers(error, text)


def _of_servers(error: Exception, text: str) -> str:
    """The sentence about an error of Kafka or PostgreSQL, or one that nobody foresaw."""
    import asyncpg
    from aiokafka.errors import KafkaError
    from confluent_kafka import KafkaException

    if isinstance(error, KafkaError | KafkaException):
        return f"Kafka does not answer as it should ({text}): `hotline status` shows what runs."
    away = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError)
    if isinstance(error, (*away, ConnectionError, TimeoutError)):
        return f"PostgreSQL does not answer as it should ({text}): `hotline status` shows what runs."
    if isinstance(error, asyncpg.PostgresError):
        return f"PostgreSQL refused: {text}. HOTLINE_DEBUG=1 shows where."
    return f"This should not have happened: {type(error).__name__}: {text}. HOTLINE_DEBUG=1 shows where."
