"""Escalation: notice what was not done in time, and tell the next level.

Hears    the clock
Decides  which limits were missed, who is told, when the level after that is told
Says     SignLimitMissed, FeedbackLimitMissed, ComplaintEscalated, LimitMissCorrected
"""
