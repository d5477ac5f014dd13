"""Dispatch: send each complaint to the one unit that must act, and hear what it says.

Hears    ComplaintClassified, ComplaintReopened; units' replies; reviewers
Decides  which unit, by when; whether a reply comes from whom the order lies with
Says     ComplaintDispatched, OrderSigned, OrderAnswered, ReturnRequested, ReturnApproved, ReturnRejected,
         ReplyRefused
"""
