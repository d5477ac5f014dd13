"""The operations page: how processes and topics do, from the metrics that the processes show."""
