"""`python -m services.escalation`."""

import asyncio

from services.escalation.app import run
from services.escalation.settings import Settings

asyncio.run(run(Settings()))
