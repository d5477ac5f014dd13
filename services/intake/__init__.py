"""Intake: put every request on record, once, and say what kind it is.

Hears    the telephone system; the agents' desk, web and app
Decides  whether it is new, what kind it is, whether it was answered or turned away on the spot; what is added later
Says     ComplaintReceived, IdentityProtected, MatterLinked, ComplaintClassified, ComplaintAnsweredDirectly,
         ComplaintTurnedAway, RequestCorrected, RequestSupplemented, RequestRepeated, ComplaintWithdrawn,
         RetaliationReported, RatingGiven,
         IntakeRefused
Keeps    `decision_table` which decision answers which command; `naming` which complaint is meant;
         `links` which links cannot be; `on_record` what is said of one on record;
         `told_again` whether a request says something else; `twice` which record stands for another;
         `pbx` what telephone systems say; `register` what is told of a call; `call_statistics` the telephone's
         figures; `response_times` how soon messages are taken up; `knowledge` what agents answer from;
         `numbers_in_texts` what leaves a citizen's text; `views` the questions it answers
"""
