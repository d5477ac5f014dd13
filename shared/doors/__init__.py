"""Doors: how messages come in from Kafka and reach a desk."""
