"""One table of all that is kept of people, how long, and which act lets it go; and one sweep (decision 0060).

Every table of the database stands in one line. A table of a later release that stands in none fails a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from hotline.contact_details import overdue, shred
from shared.doors.heard import line_of
from shared.ids import ComplaintId
from shared.policy.ruleset import RuleSet
from shared.unreadable import UnreadableRows

GOOD: Final = "for good"


class KeptData(NamedTuple):
    """One line: what is kept, where, how long, and what ends it."""

    name: str
    what: str
    """The things it tells, and of whom."""
    tables: tuple[str, ...]
    """A table, or all of a schema that are not named elsewhere: `read.*`."""
    until: str
    """How long, in words; `{contact_days}` and the like are values of the rule set."""
    act: str
    """The act that ends it; empty where it is kept for good."""


KEPT: Final = (
    KeptData(
        "contacts",
        "name, phone, e-mail and home address of a citizen, sealed",
        ("vault.contact", "vault.key"),
        "{contact_days} days after the life has ended; {contact_without_record} where the request is not on record",
        "hotline retention --shred",
    ),
    KeptData(
        "blind index",
        "whether two complaints have one telephone number",
        ("vault.caller",),
        "as long as the contact",
        "hotline retention --shred",
    ),
    KeptData(
        "marks of callers",
        "whether a caller is marked as malicious, by the place of the number in the blind index; no number",
        ("vault.caller_mark",),
        "the place until the mark is over: refused, lifted, or {caller_mark_days} days after it was approved",
        "hotline retention --shred",
    ),
    KeptData(
        "acts on marks of callers",
        "who proposed, approved, refused, lifted, when and why, by the id of the register; no words of objections",
        ("vault.caller_mark_act",),
        GOOD,
        "",
    ),
    KeptData(
        "numbers of texts",
        "what a mark in a citizen's text stands for, sealed",
        ("vault.text_number",),
        "as long as the contact",
        "hotline retention --shred",
    ),
    KeptData(
        "dropped messages",
        "a message whole, as its sender sent it, that an operator gave up",
        ("es.parked_dropped",),
        "as long as the topic it came on keeps a message, from when it was dropped",
        "hotline retention --shred",
    ),
    KeptData(
        "parked messages",
        "a message whole, as its sender sent it, that waits for an operator",
        ("es.parked",),
        "until it is released or dropped",
        "hotline parked release, hotline parked drop",
    ),
    KeptData(
        "acts on parked messages",
        "who opened, released or dropped a message, by the id of the register or the login, when and why",
        ("es.parked_act",),
        GOOD,
        "",
    ),
    KeptData(
        "access log",
        "who read a contact, put or shredded it, and when; nothing of what it says",
        ("vault.access", "vault.visit_taken"),
        GOOD,
        "",
    ),
    KeptData(
        "log",
        "the complaints in the citizens' words, with marks in the place of numbers",
        ("es.event", "es.stream", "es.archived", "es.archived_life", "es.archive_month"),
        GOOD + "; months that ended leave with `hotline archive`",
        "",
    ),
    KeptData("lists", "the same, made from the log", ("read.*",), "as long as the log", ""),
    KeptData(
        "telephone and articles",
        "when a call was offered, taken, ended, and by which agent; the articles and who wrote them",
        ("intake.*",),
        GOOD,
        "",
    ),
    KeptData(
        "keys of HTTP",
        "a hash of each key, whose it is, when it was used last",
        ("web.key",),
        GOOD + "; a key that is revoked opens nothing",
        "hotline key revoke",
    ),
    KeptData(
        "secrets of signatures",
        "the secret with which the owner of a key signs, as it is; no backup holds it",
        ("web.secret",),
        "until it is dropped; that one was there, for good",
        "hotline key drop",
    ),
    KeptData(
        "people who sign in",
        "the name of each, one role, of a unit's people the unit, of the identity provider's people the account there; "
        "facts hold the id alone",
        ("web.staff",),
        GOOD + "; a person who is revoked signs in no more",
        "hotline staff revoke",
    ),
    KeptData(
        "sessions and links",
        "a hash of each session and of each link that signs in, whose it is, when it was used last",
        ("web.session", "web.staff_link"),
        "twelve hours and a day; the next sign-in and the next link take away what is over",
        "hotline staff revoke",
    ),
    KeptData(
        "sign-ins at the identity provider that wait for its answer",
        "a hash of the cookie of each, and the page that was asked for",
        ("web.sign_in_under_way",),
        "ten minutes; the next one that begins takes away what is over",
        "",
    ),
    KeptData(
        "links of citizens",
        "a hash of each code and of each page that is open, for which complaint, who made it, how often it was opened",
        ("web.citizen_link", "web.citizen_session"),
        "a year, and two hours; the next link and the next opening take away what is over",
        "hotline contact link --revoke",
    ),
    KeptData(
        "reply templates",
        "texts of a unit's own, and which of its people wrote each; one in which a telephone, identity or card number "
        "stands is not kept",
        ("web.reply_template",),
        "until somebody of the unit deletes it",
        "the page /templates",
    ),
    KeptData(
        "saved filters",
        "the filters of a list that a person keeps, by name; one in which such a number stands is not kept",
        ("web.saved_filter",),
        "until the person deletes it, or is revoked",
        "the page /work, hotline staff revoke",
    ),
    KeptData(
        "bookkeeping",
        "ids, times, places in topics, reasons of parkings; programmes, months, scores of units",
        ("es.*",),
        GOOD,
        "",
    ),
)
"""A table of a later release belongs into a line, or gets its own."""

_COPIES: Final = """
SELECT parked_id, topic, clock_timestamp() - dropped_at AS age FROM es.parked_dropped ORDER BY parked_id
"""


class DueData(NamedTuple):
    """Everything that is to go now."""

    contacts: Sequence[ComplaintId]
    """Complaints whose contact and numbers of texts are due."""
    dropped: Sequence[int]
    """Dropped messages, by their numbers."""
    marks: Sequence[int]
    """Marks of callers that are over, by their numbers."""


async def due(
    operator: asyncpg.Connection[Any], now: datetime, rules: RuleSet, prefix: str, unread: UnreadableRows
) -> DueData:
    """Everything that is due by now, in city time; `prefix` is the city's. Messages are as old as the database says."""
    dropped: list[int] = []
    for number, topic, age in await operator.fetch(_COPIES):
        line = line_of(topic, prefix)
        if line is None or age > line.retention:  # nobody speaks on a topic that has no line any more
            dropped.append(number)
    marks = [row[0] for row in await operator.fetch("SELECT * FROM vault.marks_over()")]
    return DueData(await overdue(operator, now, unread, rules), dropped, marks)


async def let_go(operator: asyncpg.Connection[Any], what: DueData) -> tuple[int, int]:
    """Shred contacts, delete copies of messages, let go callers of marks; how many of the first two there were."""
    await operator.execute("SELECT vault.forget_marks($1)", list(what.marks))
    contacts = await shred(operator, what.contacts, "retention")
    copies: int = await operator.fetchval("SELECT es.shred_dropped($1)", list(what.dropped))
    if copies:
        await operator.execute("VACUUM es.parked_dropped")  # a deleted row lies in its page until then
    return contacts, copies


def told(line: KeptData, rules: RuleSet) -> str:
    """How long, with the values of the rule set."""
    hours = round(rules.contact_without_record.total_seconds() / 3600)
    return line.until.format(
        contact_days=rules.contact_days,
        contact_without_record=f"{hours} hours",
        caller_mark_days=rules.caller_mark_days,
    )
