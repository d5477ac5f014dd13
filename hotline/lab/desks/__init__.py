"""The desks of a city whose time a conductor moves: the same as in production, with other ports for clock and timers.

`python -m hotline.lab.desks.intake` is one of them, `python -m hotline.lab.desks` all four in one process.
"""
