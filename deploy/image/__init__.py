"""The one image of all processes: its Containerfile, how it is built, and a check of what it promises."""
