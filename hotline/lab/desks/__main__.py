"""`python -m hotline.lab.desks`: all four desks in one process, see `services.__main__`."""

import asyncio

from hotline.lab.desks.compose import dispatch, escalation, feedback, intake
from services.__main__ import run

if __name__ == "__main__":
    asyncio.run(run(intake, dispatch, escalation, feedback))
