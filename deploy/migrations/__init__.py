"""The log's SQL, one object a file, forward only."""
