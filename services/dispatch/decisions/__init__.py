"""The decisions of dispatch, one file for each matter: its questions, the decision, the review."""
