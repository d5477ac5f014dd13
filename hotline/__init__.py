"""The command a person types: it knows everybody, nobody knows it."""
