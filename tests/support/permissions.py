"""Users of the tests' servers, and what they were refused."""

from __future__ import annotations

from redis import Redis


def login(url: str, user: str, password: str | None = None) -> str:
    """The URL of a server, for this user."""
    scheme, _, rest = url.partition("://")
    name = user if password is None else f"{user}:{password}"
    return f"{scheme}://{name}@{rest}"


def refusals(admin: Redis, user: str) -> list[str]:
    """Every command or key that the server has refused to the user since it started."""
    return sorted(
        f"{entry['reason']} {entry['object']}"
        for entry in admin.acl_log(100_000)
        if entry["username"] == user
    )
