"""The decisions of feedback, one file for each matter: its questions and the decision."""
