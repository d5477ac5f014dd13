"""Reply templates of units and saved filters of people: the listener for staff alone keeps and deletes them."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

_KEEP_TEMPLATE: Final = "SELECT web.keep_template($1, $2, $3, $4, $5, $6)"
_DROP_TEMPLATE: Final = "SELECT web.drop_template($1, $2)"
_KEEP_FILTER: Final = "SELECT web.keep_filter($1, $2, $3, $4, $5)"
_DROP_FILTER: Final = "SELECT web.drop_filter($1, $2, $3)"


class KeptTexts:
    """See the module. The texts and names that come here were looked through already."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        """`pool`: of the login of the listener for staff; no other may keep anything for a person."""
        self._pool = pool

    async def keep_template(
        self, who: str, template: int | None, verb: str, name: str, text: str, *, most: int
    ) -> str:
        """Keep it for the unit of this person, a new one without an id; the outcome.

        It is kept, full (`most` there are), taken (another has the name) or gone.
        """
        answer = await self._pool.fetchval(_KEEP_TEMPLATE, who, template, verb, name, text, most)
        return str(answer)

    async def drop_template(self, who: str, template: int) -> None:
        """Delete it, where it is one of the person's unit."""
        await self._pool.execute(_DROP_TEMPLATE, who, template)

    async def keep_filter(self, who: str, of_list: str, name: str, query: str, *, most: int) -> str:
        """Keep it for this person, in place of one of the same name: kept, or full (`most` there are)."""
        return str(await self._pool.fetchval(_KEEP_FILTER, who, of_list, name, query, most))

    async def drop_filter(self, who: str, of_list: str, name: str) -> None:
        """Delete the filter of this name that the person keeps."""
        await self._pool.execute(_DROP_FILTER, who, of_list, name)
