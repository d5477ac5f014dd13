"""Sends the log to Kafka: every committed fact, in version order per complaint, at least once.

It sends the facts that one snapshot sees and an earlier one did not (snapshot difference). A cursor over
positions would skip facts that commit late, since positions are handed out before the commit. The open batch
(snap_a, snap_b] is stored before its first message is sent. So a restart repeats the same messages with the
same marks, and every desk drops those it has.

Several relays may share the log, each with the complaints of its shard: a cursor, an epoch and an owner of
its own. A complaint has one shard, and so has a partition of complaints.log. So order and marks are as with
one relay.
"""
