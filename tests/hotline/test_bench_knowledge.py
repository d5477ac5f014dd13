"""Part `knowledge`: what it counts, what it tells, and what it refuses before anything is started."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from hotline.__main__ import app
from hotline.cli.bench import draw, tell
from hotline.lab.bench.knowledge import KnowledgeResult, bars_missed, run
from hotline.lab.bench.stage import BenchCity
from services.intake.knowledge.file import articles
from services.intake.knowledge.questions import Question


@pytest.fixture(scope="module")
async def result(bench_stage: BenchCity) -> KnowledgeResult:
    known = [
        Question("什么时候来暖气", "kb-0304"),
        Question("护照怎么办理", None),
        Question("噪音扰民", "kb-0304"),
        Question("社保转移", "kb-0902"),
    ]
    return await run(bench_stage, articles(), known, print, rounds=2)


@pytest.mark.connected
@pytest.mark.timeout(900)
def test_the_shares_and_the_time_are_those_of_the_questions(result: KnowledgeResult) -> None:
    assert result.wrong == []
    assert [one.found[:1] for one in result.searched] == [("kb-0304",), (), ("kb-0801",), ("kb-0902",)]
    assert (result.first, result.first_three) == (0.75, 0.75)
    assert result.wait.count == 8
    assert 0 < result.wait.p50 <= result.wait.p99 <= result.wait.highest
    assert len(bars_missed(result)) == 2
    assert bars_missed(replace(result, first=0.85, first_three=0.95)) == []


@pytest.mark.connected
@pytest.mark.timeout(900)
def test_it_is_told_to_a_program_and_to_a_person_and_drawn(
    result: KnowledgeResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tell("knowledge", result, json=True)
    assert msgspec.convert(json.loads(capsys.readouterr().out), KnowledgeResult) == result
    tell("knowledge", result, json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "Of 4 questions, 1 of which no article answers: top-1 0.750, top-3 0.750, 1 wrong." in said
    assert "噪音扰民: right kb-0304, found kb-0801" in said
    pytest.importorskip("matplotlib")
    draw("knowledge", result, tmp_path / "knowledge.svg")
    assert (tmp_path / "knowledge.svg").exists()


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, ["bench", "knowledge", *words])


@pytest.mark.parametrize(
    ("questions", "why"),
    [
        ("question,article\n供暖,kb-9999\n", "there is no article 'kb-9999'"),
        ("frage,artikel\n供暖,kb-0304\n", "has no column question, article"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_before_anything_starts(
    tmp_path: Path, questions: str, why: str
) -> None:
    file = tmp_path / "questions.csv"
    file.write_text(questions, encoding="utf-8")
    told = typed("--questions", str(file))
    assert told.exit_code == 2
    assert why in told.stderr


def test_a_base_without_articles_says_that_it_is_empty(tmp_path: Path) -> None:
    file, asked = tmp_path / "none.toml", tmp_path / "questions.csv"
    file.write_text('version = "mine"\nexample = false\narticles = []\n', encoding="utf-8")
    asked.write_text("question,article\n供暖,\n", encoding="utf-8")
    told = typed("--articles", str(file), "--questions", str(asked))
    assert told.exit_code == 2
    assert "The knowledge base is empty" in told.stderr
