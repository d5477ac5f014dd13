"""The knowledge base of the agents (B2): the rule, the base, its words, and files of articles."""
