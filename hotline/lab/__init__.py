"""The laboratory: simulated cities, rehearsals, benchmarks, chaos. Nothing outside imports it but the command line."""
