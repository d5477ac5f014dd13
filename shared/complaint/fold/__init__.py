"""The fold: what each fact changes, one file for each speaker."""
