"""Dispatch: send each complaint to the one unit that must act, and hear what it says.

Hears    ComplaintClassified, ComplaintReopened, RequestCorrected; units' replies; reviewers
Decides  which unit, by when, who helps, whom a street whistles for; whether a reply comes from whom the order lies with
Says     the facts of `shared/events/dispatch.py`, `shared/events/limit_steps.py` and `shared/events/whistle.py`
Keeps    `decision_table` which decision answers which command; `guards` who may speak; `reviewed` what a review is;
         `routing` which unit; `matters` with whose it goes; `work_order` how an order is written; `limits` which
         limit it gets; `contact_policy` who sees how much of a contact; `contact_reading` how one is read
"""
