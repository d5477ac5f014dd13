"""Escalation: notice what was not done in time, and tell the next level.

Hears    the clock
Decides  which limits are near or were missed, who is told, when the level after that is told, who supervises
Says     SignLimitMissed, AnswerLimitMissed, ComplaintEscalated, LimitMissCorrected, WarningGiven,
         SupervisionOpened, SupervisionMissed, SupervisionClosed, ArrivalMissed,
         DispatchLimitMissed, VisitLimitMissed
Keeps    `due` which timers are due; `watermark` from where the clock looks
"""
