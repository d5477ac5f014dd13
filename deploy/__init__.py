"""What a deployment is made from."""
