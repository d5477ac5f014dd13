"""A city of one's own: the folder of its data, its check, and an example to start from.

The loaders of each file say what can stand in it. This package adds only what no file can say alone: that one file
names what another one has.
"""
