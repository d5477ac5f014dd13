"""`python -m hotline.lab.desks.intake`."""

import asyncio

from hotline.lab.desks.compose import intake
from services.intake.settings import Settings

if __name__ == "__main__":
    asyncio.run(intake(Settings()))
