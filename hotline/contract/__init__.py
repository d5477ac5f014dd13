"""Documents for those outside, generated from the code."""
