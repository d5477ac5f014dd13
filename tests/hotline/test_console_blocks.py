"""Every ```console block of the pages is typed as it stands there, and prints what the page shows.

A block is what a person sees: lines that begin with `$ ` are typed, the others are the answer. The blocks of a page
are one sitting: one folder, one command after another. `…` stands for any text, over lines too; `COMPLAINT` in a
command for the complaint whose number was printed last. A block without a language holds
commands that need another machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, NamedTuple

import pytest

from tests.shell import PROJECT, environment

PAGES: Final = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "docs")
BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NUMBER: Final = re.compile(r"\b[0-9]{8}-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]\b")
SECONDS_MAX: Final = 500
"""For a command that hangs; the longest one starts servers."""


class Step(NamedTuple):
    """A command of a page and the answer it shows."""

    line: int
    command: str
    answer: str


def pages() -> list[Path]:
    named = [PROJECT / name for name in PAGES]
    return [page for one in named for page in (sorted(one.glob("**/*.md")) if one.is_dir() else [one])]


def steps(text: str) -> Iterator[Step]:
    """Gives the commands of a page, in its order; a line that begins with `> ` goes on with the command."""
    for block in BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1)) + 1
        lines = block[1].splitlines()
        assert lines, f"line {first}: an empty block"
        assert lines[0].startswith("$ "), f"line {first}: a block begins with what is typed"
        at = 0
        while at < len(lines):
            began, command, answer = at, lines[at][2:], []
            at += 1
            while at < len(lines) and lines[at].startswith("> "):
                command += f"\n{lines[at][2:]}"
                at += 1
            while at < len(lines) and not lines[at].startswith("$ "):
                answer.append(lines[at])
                at += 1
            yield Step(first + began, command, "\n".join(answer))


def alike(shown: str, printed: str) -> bool:
    """Whether this was printed; spaces at the end of a line are not seen."""
    pattern = ".*".join(
        re.escape(part) for part in re.sub(r"[ \t]+$", "", shown, flags=re.MULTILINE).split("…")
    )
    return (
        re.fullmatch(pattern, re.sub(r"[ \t]+$", "", printed, flags=re.MULTILINE).strip("\n"), re.DOTALL)
        is not None
    )


def typed(command: str, folder: Path) -> str:
    """The answer, as a terminal shows it; `AssertionError` where the command fails."""
    told = {**environment(), "HOTLINE_STACK": str(folder / ".stack")}
    told["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{told['PATH']}"
    with TemporaryFile("w+") as answer:  # no pipe: what a command leaves running would hold it open
        done = subprocess.run(
            ["/bin/bash", "-ec", command],
            cwd=folder,
            env=told,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=answer,
            timeout=SECONDS_MAX,
            check=False,
        )
        answer.seek(0)
        printed = answer.read()
    assert done.returncode == 0, f"{command}: {done.returncode}\n{printed}"
    return printed


SHOWN: Final = {
    str(page.relative_to(PROJECT)): list(steps(page.read_text(encoding="utf-8"))) for page in pages()
}


@pytest.mark.connected
@pytest.mark.parametrize("page", [page for page, found in SHOWN.items() if found])
def test_what_a_page_shows_is_printed(page: str, tmp_path: Path) -> None:
    complaint = ""
    wrong: list[str] = []
    try:
        for step in SHOWN[page]:
            printed = typed(step.command.replace("COMPLAINT", complaint or "COMPLAINT"), tmp_path)
            print(f"$ {step.command}\n{printed}")  # `pytest -s` shows what a page may show
            numbers = NUMBER.findall(printed)
            complaint = numbers[-1] if numbers else complaint
            if not alike(step.answer, printed):
                wrong.append(
                    f"{page}:{step.line}: $ {step.command}\nshown:\n{step.answer}\nprinted:\n{printed}"
                )
    finally:
        if (tmp_path / ".stack").exists():
            typed("hotline down && hotline wipe --yes", tmp_path)
    assert not wrong, "\n".join(wrong)


def test_there_are_blocks_with_answers_on_more_than_one_page() -> None:
    assert len([page for page, found in SHOWN.items() if found]) > 1
    assert len([step for found in SHOWN.values() for step in found if step.answer]) > 5


def test_a_block_is_read_line_by_line_and_another_answer_is_seen() -> None:
    text = "a\n```console\n$ one \\\n> two\nfirst\nsecond … 3\n$ three\n```\n```\n$ not typed\n```\n"
    first, second = steps(text)
    assert first == Step(3, "one \\\ntwo", "first\nsecond … 3")
    assert second == Step(7, "three", "")
    assert alike(first.answer, "first  \nsecond of all\nare 3\n")
    assert not alike(first.answer, "first\nsecond of 4\n")
    assert not alike(first.answer, "before\nfirst\nsecond is 3\n")
    assert not alike("", "anything")
    with pytest.raises(AssertionError, match="begins with what is typed"):
        list(steps("```console\nfirst\n```\n"))
