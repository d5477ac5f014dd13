"""`python -m services.feedback`."""

import asyncio

from services.feedback.app import run
from services.feedback.settings import Settings

asyncio.run(run(Settings()))
