"""What the system carries, beside what the machine under it could: whole lives, their floor, one by one."""
