"""What every process needs around its work."""
