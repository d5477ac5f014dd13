"""The board (运行态势): what the city's hotline does now, and where it is late."""
