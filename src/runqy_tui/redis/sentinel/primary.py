"""Among the addresses that Sentinels name, the one that is a primary."""

from __future__ import annotations

from runqy_tui.model.errors import ConnectionFailedError, RunqyTuiError
from runqy_tui.redis.connecting.target import Target
from runqy_tui.redis.connecting.urlparts import Address, shown
from runqy_tui.redis.sentinel.asking import Inquiry, OpenNode
from runqy_tui.redis.wire.replies import Reply, info_fields
from runqy_tui.redis.wire.transport import Batch, NodeLink
from runqy_tui.text.safe import safe_line


class Search:
    """Tries whom the Sentinels name until one does not say that it is a replica."""

    def __init__(
        self, target: Target, open_node: OpenNode, address: Address | None, node: NodeLink | None
    ) -> None:
        self.failures: dict[Address, RunqyTuiError] = {}
        self._target = target
        self._open = open_node
        self._current = (address, node)
        self._replica: tuple[Address, NodeLink] | None = None

    async def run(
        self, inquiry: Inquiry, left: Address | None
    ) -> tuple[Address, NodeLink, str | None] | None:
        """Address, node, and what is doubtful about it; ``None`` where nobody is to be had."""
        try:
            found = await self._find(inquiry, left)
        except BaseException:
            await self._drop_replica()
            raise
        if found is not None:
            await self._drop_replica()
            return *found, None
        if self._replica is None:
            return None
        doubt = (
            f"Sentinel names {shown(self._replica[0])} as the primary, but that is a replica: what "
            "it shows may be late. A failover may be going on"
        )
        return *self._replica, doubt

    async def _find(
        self, inquiry: Inquiry, left: Address | None
    ) -> tuple[Address, NodeLink] | None:
        found = await self._first(inquiry.named(left))
        while found is None and await inquiry.more():
            found = await self._first(inquiry.named(left))
        address, _ = self._current
        if found is None and address is not None:
            found = await self._first([address])  # still there, though nobody names it
        return found

    async def _first(self, addresses: list[Address]) -> tuple[Address, NodeLink] | None:
        for address in addresses:
            known = self._replica is not None and self._replica[0] == address
            if known or address in self.failures:
                continue
            node = await self._try(address)
            if node is not None:
                return address, node
        return None

    async def _try(self, address: Address) -> NodeLink | None:
        current, node = self._current
        if node is None or current != address:
            node = self._open(self._target.at(*address))
        batch = Batch()
        batch.ask("INFO", "replication")
        try:
            (reply,) = await node.trip(batch)
        except RunqyTuiError as error:
            self.failures[address] = error
        except BaseException:
            await self._close(node)
            raise
        else:
            if role_of(reply) != "slave":
                return node
            if self._replica is None:
                self._replica = address, node
                return None
        await self._close(node)
        return None

    async def _drop_replica(self) -> None:
        if self._replica is not None:
            await self._close(self._replica[1])

    async def _close(self, node: NodeLink) -> None:
        if node is not self._current[1]:
            await node.close()

    def explain(self, inquiry: Inquiry) -> RunqyTuiError:
        """Why there is no primary to be had, in one line."""
        service = self._target.service
        for address, error in self.failures.items():
            if not isinstance(error, ConnectionFailedError):
                return error
            if address in inquiry.named():
                return ConnectionFailedError(
                    f'The primary {shown(address)} that Sentinel names for "{safe_line(service)}" '
                    f"does not answer; a failover may be going on. {error}"
                )
        return inquiry.explain(service)


def role_of(reply: Reply) -> str | None:
    """INFO's word, ``master`` or ``slave``; ``None`` where it may not be asked."""
    return (info_fields(reply) or {}).get("role")
