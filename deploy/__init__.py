"""The parts a deployment is made from."""
