"""Dispatch: send each complaint to the one unit that must act, and hear what it says.

Hears    ComplaintClassified, ComplaintReopened; units' replies; reviewers
Decides  which unit, by when, who helps; whether a reply comes from whom the order lies with
Says     ComplaintDispatched, OrderSigned, OrderAnswered, ReturnRequested, ReturnApproved, ReturnRejected,
         OrderAssigned, ExtensionRequested, ExtensionApproved, ExtensionRejected, TerminationRequested,
         TerminationApproved, TerminationRejected, DisputeRaised, CouncilDecided, CoUnitAdded, CoUnitReported,
         ComplaintReclassified, ConfidentialityRequired, CitizenContacted, ContactFailed, ProgressReported,
         AnswerSentBack, ReplyRefused
"""
