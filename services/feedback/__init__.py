"""Feedback: ask the citizen, and close only on what the citizen says.

Hears    OrderAnswered, AnswerLimitMissed; the dialler; supervisors
Decides  when to ask, whether it is solved, goes round again or ends
Says     VisitScheduled, VisitMade, VisitUnreached, ComplaintReopened, ComplaintClosed, SupervisionDecided,
         VisitAnswerRefused
Keeps    `decision_table` which decision answers which command; `refusals` what is said where something cannot be
"""
