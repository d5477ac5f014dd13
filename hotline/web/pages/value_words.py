"""The words for a rule set's values: how each is called, and how what it says is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from hotline.web.pages.asking import PageAsk
from hotline.web.pages.catalogues import N_
from hotline.web.pages.naming import NAMES

GROUPS: Final[Mapping[str, str]] = {
    "": N_("Life of a complaint"),
    "whistle": N_("Whistles"),
    "telephone": N_("Telephone"),
    "messages": N_("First answer to a message"),
    "score": N_("Ranking"),
}
"""The tables of a rule set beside its classes, in the order of the page; the first holds what is in no table."""
_WORDS: Final[Mapping[str, str]] = {
    "effective_from": N_("in force since"),
    "timezone": N_("time zone"),
    "limits_given": N_("each request brings its own limit"),
    "day_kind": N_("kind of days that are counted"),
    "roll_if_holiday": N_("a last day off moves to the next working day"),
    "given_back_days_max": N_("days that a given limit may lie before its request, at most"),
    "given_ahead_days_max": N_("days that a given limit may lie behind its request, at most"),
    "record_fields": N_("fields that a record must have"),
    "emergency_services": N_("emergencies are handed to"),
    "whistles_max": N_("whistles of one complaint, at most"),
    "called_max": N_("units that one whistle calls, at most"),
    "returns_max": N_("approved returns, at most"),
    "extensions_max": N_("approved extensions, at most"),
    "extension_days_max": N_("days of one extension, at most"),
    "pauses_max": N_("approved pauses, at most"),
    "pause_days_max": N_("days of one pause, at most"),
    "co_units_max": N_("units that help, at most"),
    "answers_sent_back_max": N_("answers that a review may send back, at most"),
    "rounds_max": N_("rounds of handling, at most"),
    "visit_attempts_max": N_("attempts to reach the citizen, at most"),
    "visit_spacing": N_("time between two attempts, at least"),
    "visit_within": N_("time in which an attempt must be made"),
    "visit_channels": N_("ways to ask the citizen, by attempt"),
    "contact_days": N_("days that a contact is kept after the end"),
    "contact_without_record": N_("time that a contact without a request is kept"),
    "caller_mark_days": N_("days that the mark of a caller warns"),
    "ladder": N_("levels that watch, in order"),
    "dispatch": N_("dispatching"),
    "sign": N_("signing"),
    "feedback": N_("answering"),
    "ladder_step": N_("next level after"),
    "warnings": N_("warnings before the end"),
    "supervision": N_("supervision"),
    "subjects": N_("subjects"),
    "step": N_("next level after"),
    "arrival": N_("being there"),
    "answer_within": N_("a call is answered within"),
    "connection_percent": N_("calls answered, percent at least"),
    "window": N_("window of the rate"),
    "window_calls_min": N_("calls of a window that is told, at least"),
    "short_abandon": N_("a short abandoned call"),
    "excluded": N_("outcomes that are not counted"),
    "otherwise": N_("any other channel"),
    "counts_in": N_("month in which a complaint counts"),
    "responds_by": N_("a response is"),
    "small_cell": N_("cases of a rate that is told, at least"),
    "response": N_("weight of response"),
    "resolution": N_("weight of resolution"),
    "satisfaction": N_("weight of satisfaction"),
}
"""By the last part of a value's name."""
_CODES: Final[Mapping[str, str]] = {
    "NATURAL": N_("natural days"),
    "WORKING": N_("working days"),
    "VISIT": N_("month of the visit"),
    "DISPATCH": N_("month of the dispatch"),
    "CONTACT": N_("contacted in time"),
    "ANSWER": N_("answered in time"),
    "title": N_("title"),
    "content": N_("content"),
    "address": N_("address"),
    "district": N_("district"),
    "street": N_("street"),
    "subject": N_("subject"),
    "call_id": N_("call"),
}
_KINDS: Final = {"ladder": "Level", "visit_channels": "channel", "excluded": "outcome"}
"""The kind of code that a list of this name holds."""
_SPAN: Final = re.compile(r"([0-9]+)(s|min|h|d)")
_UNITS: Final[Mapping[str, str]] = {
    "s": N_("%(n)s s"),
    "min": N_("%(n)s min"),
    "h": N_("%(n)s h"),
    "d": N_("%(n)s days"),
}
_CUT: Final = re.compile(r"(top|bottom) ([0-9]+) by (score|gain|requests|per_10k)")
_ENDS: Final[Mapping[str, str]] = {
    "top": N_("the first %(n)s by %(by)s"),
    "bottom": N_("the last %(n)s by %(by)s"),
}
_MEASURES: Final[Mapping[str, str]] = {
    "score": N_("score"),
    "gain": N_("gain"),
    "requests": N_("requests"),
    "per_10k": N_("requests per 10,000"),
}


def label_of(ask: PageAsk, name: str) -> str:
    """A value by its dotted name in words, without those of its table: `classes.GENERAL_7D.sign` is signing."""
    *before, last = name.split(".")
    if "respond_within" in before:
        return ask.name("channel", last)
    if "lists" in before:
        return ask.name("list", last)
    word = f"{ask.text(_WORDS['arrival'])} ({last})" if "arrival_in" in before else _word(ask, last)
    kind = next((part for part in before if part in NAMES["WhistleKind"]), "")
    return f"{ask.name('WhistleKind', kind)}: {word}" if kind else word


def _word(ask: PageAsk, last: str) -> str:
    return ask.text(_WORDS[last]) if last in _WORDS else last


def written(ask: PageAsk, name: str, value: Any) -> str:
    """A value's content in words."""
    if isinstance(value, bool):
        return ask.text(N_("yes")) if value else ask.text(N_("no"))
    if isinstance(value, list):
        return ask.text(N_(", ")).join(written(ask, name, one) for one in value) or ask.text(N_("none"))
    said = str(value)
    if span := _SPAN.fullmatch(said):
        return ask.text(_UNITS[span[2]]) % {"n": span[1]}
    if cut := _CUT.fullmatch(said):
        return ask.text(_ENDS[cut[1]]) % {"n": cut[2], "by": ask.text(_MEASURES[cut[3]])}
    kind = _KINDS.get(name)
    if kind is not None:
        return ask.name(kind, said)
    return ask.text(_CODES[said]) if said in _CODES else said
