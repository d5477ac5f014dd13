"""What agents answer from (B2): the rule, the base, its words, and files of articles."""
