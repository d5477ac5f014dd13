"""A life as one trace: spans from its facts, and how they come to a viewer."""
