"""Keeps the processes alive, and finds those that make no progress."""
