"""Upkeep of the log: views made anew, archive, backup."""
