"""The decisions of intake, one file for each matter: its questions and the decision."""
