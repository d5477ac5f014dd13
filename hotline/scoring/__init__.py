"""Scores and rankings of the streets, from facts alone."""
