"""The decisions of escalation, one file for each matter that has become due."""
