"""The parts that need no server: walks through changing clusters, slots, commands taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.redis.cluster.batch_plan import ClusterScan, args_of
from runqy_tui.redis.cluster.slot_map import parse_slots, reachable
from runqy_tui.redis.wire.command_encoding import encode
from runqy_tui.redis.wire.replies import Reply, UnreachableError, scan_page

A, B, C = ("a", 1), ("b", 2), ("c", 3)
Address = tuple[str, int]


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_a_command_taken_apart_is_what_it_was(args: list[bytes]) -> None:
    assert args_of(encode("MGET", *args)) == [b"MGET", *args]


def step(
    walks: ClusterScan, cursor: int, primaries: list[Address], batch_replies: dict[Address, Reply]
) -> tuple[int, list[bytes], dict[Address, list[bytes]]]:
    """One step: the next cursor, what it found, and what each primary was asked."""
    wire = encode("SCAN", cursor, "MATCH", "x", "COUNT", 1000)
    at, asked = walks.step(wire, primaries)
    page = scan_page(walks.join(at, {address: batch_replies[address] for address in asked}))
    assert page is not None
    return *page, {address: args_of(sent) for address, sent in asked.items()}


def page(cursor: int, *found: bytes) -> Reply:
    return [b"%d" % cursor, list(found)]


def test_a_walk_goes_through_all_and_ends() -> None:
    walks = ClusterScan()
    cursor, found, asked = step(walks, 0, [A, B], {A: page(7, b"1"), B: page(0, b"2")})
    assert (cursor > 0, found) == (True, [b"1", b"2"])
    assert asked[A] == [b"SCAN", b"0", b"MATCH", b"x", b"COUNT", b"500"]
    cursor, found, asked = step(walks, cursor, [A, B], {A: page(0, b"3")})
    assert (cursor, found) == (0, [b"3"])
    assert asked == {A: [b"SCAN", b"7", b"MATCH", b"x", b"COUNT", b"1000"]}


def test_a_walk_takes_up_who_joins_and_forgets_who_leaves() -> None:
    walks = ClusterScan()
    cursor, _, _ = step(walks, 0, [A, B], {A: page(7), B: page(8)})
    cursor, _, asked = step(walks, cursor, [B, C], {B: page(0), C: page(9)})
    assert {address: args[1] for address, args in asked.items()} == {B: b"8", C: b"0"}
    cursor, _, asked = step(walks, cursor, [A, B, C], {A: page(0), C: page(0)})
    assert {address: args[1] for address, args in asked.items()} == {A: b"0", C: b"9"}
    assert cursor == 0


def test_a_walk_ends_though_a_node_is_down_or_all_have_left() -> None:
    walks = ClusterScan()
    cursor, found, _ = step(walks, 0, [A, B], {A: UnreachableError("down"), B: page(5, b"1")})
    assert found == [b"1"]
    cursor, _, asked = step(walks, cursor, [A, B], {B: page(4)})
    assert list(asked) == [B]
    assert step(walks, cursor, [A], {})[0] == 0


def test_a_walk_that_was_forgotten_begins_anew() -> None:
    walks = ClusterScan()
    first, _, _ = step(walks, 0, [A], {A: page(7)})
    for _ in range(100):
        step(walks, 0, [A], {A: page(7)})
    _, _, asked = step(walks, first, [A], {A: page(0)})
    assert asked[A][1] == b"0"
    _, _, asked = step(walks, 999_999, [A], {A: page(0)})
    assert asked[A][1] == b"0"


@pytest.mark.parametrize("announced", ["", "?", "127.0.0.1", "127.8.9.1", "::1"])
def test_hosts_that_lead_nowhere(announced: str) -> None:
    assert reachable(announced, "gateway") == "gateway"


@pytest.mark.parametrize("announced", ["10.1.2.3", "fd00::7", "node-3.example"])
def test_hosts_that_lead_there(announced: str) -> None:
    assert reachable(announced, "gateway") == announced


def test_slots() -> None:
    reply: Reply = [
        [0, 8000, [b"10.0.0.1", 7000, b"id", []], [b"10.0.0.9", 7009, b"replica", []]],
        [8001, 16382, [None, 7001, b"id"]],
        [5, b"nonsense"],
        [16383, 99_999, [b"10.0.0.3", 7003, b"id"]],
        [9, 3, [b"10.0.0.3", 7003, b"id"]],
    ]
    found = parse_slots(reply, "gateway")
    assert found is not None
    assert found.primaries == (("10.0.0.1", 7000), ("gateway", 7001))
    assert [found.owners[slot] for slot in (0, 8000, 8001, 16382, 16383)] == [
        ("10.0.0.1", 7000),
        ("10.0.0.1", 7000),
        ("gateway", 7001),
        ("gateway", 7001),
        None,
    ]


@pytest.mark.parametrize("reply", [None, b"x", [], [[]], [[0, 1]], [[0, 1, []]], 7])
def test_no_slots(reply: Reply) -> None:
    assert parse_slots(reply, "gateway") is None
