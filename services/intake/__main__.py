"""`python -m services.intake`."""

import asyncio

from services.intake.app import run
from services.intake.settings import Settings

asyncio.run(run(Settings()))
