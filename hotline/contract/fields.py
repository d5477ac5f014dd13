"""A sentence for each field of a message: the docstring below the field, else the field's meaning everywhere."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Final

import msgspec

EVERYWHERE: Final[Mapping[str, str]] = {
    "added_by": "Who said that this unit must help.",
    "address": "The place within the district, in words; empty where nobody said it.",
    "agent": "The agent who took the call.",
    "amended_by": "Who ordered it.",
    "anchored_at": "When the stretch was anchored.",
    "another_citizen": "Whether it was another citizen than the first one.",
    "approved": "Whether the request is approved; false rejects it.",
    "approved_by": "Who approved it; none where nobody had to.",
    "article_id": "The article of the knowledge base that was the answer.",
    "article_version": "The version of the article.",
    "asked": "The thing that was asked for, in words.",
    "assignment": "The number of the assignment within the complaint: 1, 2, 3 …; one that is over is refused.",
    "attachments": "Pictures, recordings, videos and papers that belong to it.",
    "attempt": "Which attempt of this visit it is: 1, 2, 3 …",
    "because": "The limit that was missed.",
    "calendar": "The version of the calendar of working days that it goes by.",
    "call_id": "The telephone system's number of the call; none where it came in no call.",
    "called": "The unit that is called to the scene.",
    "cause": "The cause in one word, such as `no_answer`.",
    "channel": "The way by which the citizen and the hotline spoke: phone, web, sms.",
    "citizen_due_at": "The citizen's limit: the last instant at which an answer is in time.",
    "citizen_told": "Whether the unit has told the citizen.",
    "claims_solved": "Whether the unit says that the matter is solved; the citizen judges.",
    "classified_by": "Who gave the request its type and its urgency.",
    "co_unit": "The unit that helps.",
    "co_units": "Further units that must help.",
    "colour": "How near the limit is.",
    "comment": "What was said with it; may be empty.",
    "complaint_id": "The complaint's own id: a UUID in small letters.",
    "content": "The request in the citizen's words; may be empty.",
    "corrected_by": "Who corrected the record.",
    "corrections": "Each field that was corrected.",
    "days": "The number of days, counted as the rule set counts days.",
    "district": "The district by its name.",
    "decided_by": "The person who decided it.",
    "decision": "The thing the unit must do, in words.",
    "done_at": "When the act reached the hotline.",
    "due_at": "The limit: the last instant in time.",
    "evidence": "The evidence for it, in words.",
    "facts": "The number of facts in the stretch.",
    "field": "The name of the field.",
    "ground": "The ground for it.",
    "how": "How the request was turned away.",
    "id": "The CloudEvents id that its speaker gave it.",
    "input": "The message that is answered.",
    "kind": "The case in which the street whistles.",
    "last": "The position of the stretch's last fact.",
    "leader": "Who answers for bringing it to an end.",
    "leads": "Whether it leads among the called units.",
    "level": "The level of the unit.",
    "limit": "The limit that was kept after all.",
    "linked_by": "Who said that they belong together.",
    "measure": "The measure that was taken, in words.",
    "media_type": "The media type of its bytes, such as `image/jpeg`.",
    "new": "What stands there now.",
    "new_due_at": "The limit in force from now on.",
    "note": "A note for those who act; may be empty.",
    "noticed_at": "When the hotline noticed it.",
    "offset": "Its offset within the partition.",
    "old": "What stood there before.",
    "old_calendar": "The calendar it went by before.",
    "old_due_at": "The limit in force before.",
    "old_urgency": "The urgency before.",
    "outcome": "How the life ended.",
    "parked_at": "When it was set aside.",
    "participants": "Those who met.",
    "partition": "Its partition within the topic.",
    "persons": "How many persons came.",
    "provisional": "True where the limit rests on days of a year that is not announced yet; left out where not.",
    "queue": "The queue in which the call waits.",
    "rated": "The unit that is rated.",
    "rated_by": "The unit that rates.",
    "reason": "The reason, in words; may be empty where none must be given.",
    "reclassified_by": "Who gave it the new urgency.",
    "recorded_by": "Who put it on record.",
    "request_id": "The number that the speaker gave the request.",
    "request_type": "What the citizen came for.",
    "result": "What was done, in words.",
    "reviewer": "Who decided it; empty where its hearers have no need to know.",
    "round": "The round: 1, and one more each time the citizen said that it was not solved.",
    "ruleset": "The rule set that the complaint was born under.",
    "satisfied": "Whether the citizen is satisfied with the handling.",
    "scene": "Where the called units must come, in words.",
    "sign_due_at": "Until when the order must be signed; none where there is no such limit.",
    "solved": "Whether the citizen says that the matter is solved.",
    "source": "The CloudEvents source that its speaker gave it.",
    "stage_feedback": "Whether it is the result of one stage of a long matter.",
    "stars": "From 1, the worst, to 5.",
    "street": "The street or town by its name; none where nobody knows it.",
    "subject": "The subject by its name in the dispatch catalogue.",
    "suggested_unit": "The unit whose order it is instead, as the returning unit says.",
    "text": "What is said, in words.",
    "title": "The request in one line.",
    "to_level": "The level that is told.",
    "to_unit": "The unit that gets the order.",
    "told": "The unit that is told.",
    "turned_away_reason": "Why it is turned away; may be empty.",
    "unit": "The unit by its id in the dispatch catalogue.",
    "unit_due_at": "The present unit's own limit: the last instant at which its answer is in time.",
    "unlisted": "Which of subject, district and street the catalogue does not know; left out where it knows all.",
    "urgency": "The class of its limits.",
    "visit": "The number of the visit within the complaint: 1, 2, 3 …",
    "whistle": "The number of the whistle within the complaint: 1, 2, 3 …",
}
"""Fields that mean the same in every message that has them; a docstring in a message goes before."""

_HAPPENED: Final = "When it happened, in city time; the header `ce_time` says the same."


@cache
def described(kind: type[msgspec.Struct]) -> Mapping[str, str]:
    """The sentence of each field of this message; `KeyError` with the name of one that has none."""
    own = _docstrings(kind)
    time = getattr(kind, "TIME", None)
    return {
        name: own.get(name) or (_HAPPENED if name == time else EVERYWHERE[name])
        for name in kind.__struct_fields__
    }


def _docstrings(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The docstrings below the fields of a message and of what it derives from."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not issubclass(base, msgspec.Struct) or base.__module__.partition(".")[0] == "msgspec":
            continue
        try:
            source = textwrap.dedent(inspect.getsource(base))
        except (OSError, TypeError):  # made by `as_told`: it has one field more, described here
            found.setdefault("complaint_number", "What is read out and typed.")
            continue
        (made,) = ast.parse(source).body
        body = getattr(made, "body", [])
        for field, below in pairwise(body):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[name] = " ".join(text.split())
                case _:
                    pass
    return found
