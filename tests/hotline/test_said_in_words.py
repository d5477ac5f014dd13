"""A command says nothing that nobody can read: what the door would refuse is not sent, and the field is named."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hotline.client import Mistyped, _as_the_door_takes_it
from hotline.governance import facts as f
from hotline.governance.rules import decide, why_not
from hotline.governance.state import folded
from shared.inputs import Input
from shared.wording import kinds_of
from tests.examples import INPUTS
from tests.foreign import BLANKS
from tests.hotline.test_proactive import (
    ASSESS,
    BEGUN,
    COMPLETE,
    GO_ON,
    KEEP_UP,
    LET,
    LIST,
    LOOK,
    REJECT,
    VERIFY,
)


@pytest.mark.parametrize("data", INPUTS, ids=lambda data: type(data).__name__)
def test_what_nobody_can_read_is_not_sent(data: Input) -> None:
    assert _as_the_door_takes_it(data) == msgspec.json.encode(data)
    for place, kind in kinds_of(type(data)).items():
        if kind == "free" or "[" in place or place == "turned_away_to":
            continue
        of_its_form = (
            rf"Expected `str` matching regex .* at `\$\.{place}`"  # asked for first where it has one
        )
        with pytest.raises(Mistyped, match=rf"Not sent: ({place}: expected|{of_its_form})"):
            _as_the_door_takes_it(msgspec.structs.replace(data, **{place: "\u200b\u3000\n"}))


def test_what_is_too_long_or_no_text_is_not_sent_either() -> None:
    request = INPUTS[3]
    with pytest.raises(Mistyped, match=r"Not sent: Expected `str` of length <= 200 - at `\$.title`"):
        _as_the_door_takes_it(msgspec.structs.replace(request, title="x" * 201))
    with pytest.raises(Mistyped, match="expected text in UTF-8"):
        _as_the_door_takes_it(msgspec.structs.replace(request, title="\udcff"))
    assert Mistyped.exit_code == 2


WISHES: list[Any] = [*BEGUN, GO_ON, COMPLETE, VERIFY, REJECT, KEEP_UP, LOOK, ASSESS, LET, LIST]


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: type(wish).__name__)
def test_nothing_is_recorded_of_a_topic_that_nobody_can_read(wish: Any) -> None:
    """H1, Q5: reasons, evidence, plans, findings, titles, and who it was."""
    demanded = [name for name, kind in kinds_of(type(wish)).items() if kind == "words" and "[" not in name]
    assert "by" in demanded
    for name in demanded:
        for text in BLANKS:
            bad = msgspec.structs.replace(wish, **{name: text})
            told = why_not(folded(BEGUN), bad)
            assert told is not None
            assert told.startswith(f"{name}: expected words that can be read"), told


def test_evidence_that_shows_nothing_is_refused_by_a_fact() -> None:
    (refused,) = decide(folded(BEGUN), msgspec.structs.replace(COMPLETE, evidence="\u3164"))
    assert isinstance(refused, f.WishRefused)
    assert refused.reason.startswith("evidence: expected words")
