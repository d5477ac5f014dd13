"""Contact details of citizens, and how they are sealed."""
