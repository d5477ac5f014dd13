"""What is generated from the code for those outside."""
