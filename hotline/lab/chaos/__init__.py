"""A city that lives on while everything it stands on fails, one thing at a time; and what it came to."""
