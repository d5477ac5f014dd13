"""The parts every process needs around its work."""
