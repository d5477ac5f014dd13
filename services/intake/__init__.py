"""Intake: put every request on record, once, and say what kind it is.

Hears    the telephone system; the agents' desk, web and app
Decides  whether it is new, what kind it is, whether the answer was given on the spot
Says     ComplaintReceived, ComplaintClassified, ComplaintAnsweredDirectly, ComplaintWithdrawn, IntakeRefused
"""
