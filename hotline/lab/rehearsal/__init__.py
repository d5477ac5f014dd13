"""A stretch of the city's time, lived to its end."""
