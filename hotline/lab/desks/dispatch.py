"""`python -m hotline.lab.desks.dispatch`."""

import asyncio

from hotline.lab.desks.compose import dispatch
from services.dispatch.settings import Settings

if __name__ == "__main__":
    asyncio.run(dispatch(Settings()))
