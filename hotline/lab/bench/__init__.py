"""The load the system carries, and the load the machine under it could carry: whole lives, floor, one by one."""
