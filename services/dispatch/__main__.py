"""`python -m services.dispatch`."""

import asyncio

from services.dispatch.app import run
from services.dispatch.settings import Settings

asyncio.run(run(Settings()))
