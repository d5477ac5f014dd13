"""PostgreSQL's address as one setting, `postgresql://user:password@host:port/database`. It is never printed."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit


def with_login(dsn: str, user: str, password: str) -> str:
    """The same database in the same way, another login."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"))


def with_password(dsn: str, password: str) -> str:
    """The same address with this password of its user; `ValueError` where it names no user."""
    user = urlsplit(dsn).username
    if not user:
        message = (
            "address of PostgreSQL: expected postgresql://USER@HOST/DATABASE beside a file with a password"
        )
        raise ValueError(message)
    return with_login(dsn, unquote(user), password)


def moved(dsn: str, host: str) -> str:
    """The same login and database at another `host:port`."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{host}"))


def saying_how(dsn: str) -> str:
    """For clients that encrypt unless they are told otherwise: an address without `sslmode` then asks for none."""
    parts = urlsplit(dsn)
    if "sslmode" in parse_qs(parts.query):
        return dsn
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, "sslmode=disable")))))
