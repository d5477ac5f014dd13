"""Intake: put every request on record, once, and say what kind it is.

Hears    the telephone system; the agents' desk, web and app
Decides  whether it is new, what kind it is, whether it was answered or turned away on the spot; what is added later
Says     ComplaintReceived, IdentityProtected, MatterLinked, ComplaintClassified, ComplaintAnsweredDirectly,
         ComplaintTurnedAway, RequestCorrected, RequestSupplemented, RequestRepeated, ComplaintWithdrawn,
         RetaliationReported, RatingGiven,
         IntakeRefused
"""
