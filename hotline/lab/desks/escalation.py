"""`python -m hotline.lab.desks.escalation`."""

import asyncio

from hotline.lab.desks.compose import escalation
from services.escalation.settings import Settings

if __name__ == "__main__":
    asyncio.run(escalation(Settings()))
