"""The words for codes that pages show: roles, stages, states. English here, Chinese in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hotline.readside import unit_list
from hotline.web.pages.catalogues import N_
from shared import roles
from shared.events.base import Urgency

NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "role": {
        roles.AGENTS: N_("Agent"),
        roles.UNIT: N_("Unit"),
        roles.REVIEWERS: N_("Reviewer"),
        roles.DIALLER: N_("Visits"),
        roles.SUPERVISION: N_("Supervision"),
    },
    "stage": {
        "RECEIVED": N_("received"),
        "TO_DISPATCH": N_("to be dispatched"),
        "AT_UNIT": N_("to sign"),
        "SIGNED": N_("in work"),
        "IN_REVIEW": N_("in review"),
        "TERMINATED": N_("ended unanswered"),
        "ANSWERED": N_("answered"),
        "ASKING": N_("citizen is asked"),
        "ENDED": N_("ended"),
    },
    "standing": {
        "new": N_("to sign"),
        "signed": N_("in work"),
        "in review": N_("in review"),
        "disputed": N_("in dispute"),
        "answered": N_("answered"),
        "paused": N_("paused"),
    },
    "part": {
        "lead": N_("leads"),
        "help": N_("helps"),
        "called": N_("whistled for"),
        "arrived": N_("on the spot"),
    },
    "urgency": {
        Urgency.CRITICAL_2H: N_("within 2 hours"),
        Urgency.TIMELY_24H: N_("within 24 hours"),
        Urgency.GENERAL_7D: N_("within 7 days"),
        Urgency.COMPLEX_15D: N_("within 15 days"),
    },
    "tab": {
        unit_list.TO_SIGN: N_("To sign"),
        unit_list.IN_WORK: N_("In work"),
        unit_list.DUE_TODAY: N_("Due today"),
        unit_list.OVERDUE: N_("Overdue"),
        unit_list.IN_REVIEW: N_("In review"),
        unit_list.AGAIN: N_("Once more"),
        unit_list.HELPING: N_("Helping"),
        unit_list.WHISTLED: N_("Whistled for"),
        unit_list.ALL: N_("All"),
    },
}
"""By kind and code."""
