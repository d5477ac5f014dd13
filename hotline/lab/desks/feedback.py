"""`python -m hotline.lab.desks.feedback`."""

import asyncio

from hotline.lab.desks.compose import feedback
from services.feedback.settings import Settings

if __name__ == "__main__":
    asyncio.run(feedback(Settings()))
