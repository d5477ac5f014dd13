"""Whether the log is what it says it is."""
