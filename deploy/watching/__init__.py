"""How a city is watched: what it promises itself, whom it calls when, and the pictures of its figures.

Everything here is generated from tables by `python -m deploy.watching write`, and checked to be fresh by `make docs`.
"""
