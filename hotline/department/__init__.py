"""A department's side of the hotline: its orders, and its replies, over Kafka or over HTTP.

The commands of `hotline unit` speak through a `UnitDoor` and do not know which of both it is.
"""
