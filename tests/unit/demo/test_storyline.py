"""The story is data: it names only what exists, in order, and has what was promised."""

from __future__ import annotations

from itertools import islice

from runqy_tui.demo import fleet_spec, simulated_fleet
from runqy_tui.demo.heartbeats import Heartbeat, LogText, go_map
from runqy_tui.demo.initial_data import INITIAL_QUEUES
from runqy_tui.demo.simulated_fleet import StoryAct
from runqy_tui.demo.task_writer import retry_delay

WORKERS = {spec.id for spec in fleet_spec.WORKERS}


def test_events_are_in_order_and_name_what_exists() -> None:
    events = list(islice(simulated_fleet.events(), 200))
    assert [event.at for event in events] == sorted(event.at for event in events)
    for event in events:
        known = fleet_spec.QUEUES_BY_NAME if event.act is StoryAct.SPIKE else WORKERS
        assert event.target in known, event


def test_the_first_two_minutes_hold_every_promise() -> None:
    at = {(event.act, event.target): event.at for event in simulated_fleet.STORY}
    assert at[StoryAct.SPIKE, "inference.low"] == 15
    assert at[StoryAct.CRASH, fleet_spec.CRASHING] == 30
    assert at[StoryAct.DEGRADE, fleet_spec.CRASHING] == 45
    assert at[StoryAct.KILL, fleet_spec.KILLED] == 60
    assert at[StoryAct.JOIN, fleet_spec.JOINING] == 75
    assert at[StoryAct.STOP, fleet_spec.STOPPING] == 100
    assert at[StoryAct.RECOVER, fleet_spec.RECOVERING] == 110
    assert max(event.at for event in simulated_fleet.STORY) < simulated_fleet.CYCLE_START


def test_the_cycle_leaves_every_worker_as_it_found_it() -> None:
    last = {event.target: event.act for event in simulated_fleet.CYCLE if event.target in WORKERS}
    assert last[fleet_spec.STOPPING] is StoryAct.STOP
    assert last[fleet_spec.RECOVERING] is StoryAct.RECOVER
    assert not {StoryAct.KILL, StoryAct.DEGRADE} & {event.act for event in simulated_fleet.CYCLE}
    assert max(event.at for event in simulated_fleet.CYCLE) < simulated_fleet.CYCLE_PERIOD


def test_every_queue_has_a_consumer_and_a_past() -> None:
    served = {name for spec in fleet_spec.WORKERS for name in spec.queues}
    assert served == set(fleet_spec.QUEUES_BY_NAME) == set(INITIAL_QUEUES)
    assert fleet_spec.ABANDONED_QUEUE not in served


def test_retry_delay_is_the_fourth_power() -> None:
    assert [retry_delay(n) for n in (1, 2, 3, 10)] == [10, 160, 810, 86_400]


def test_beat_is_spelled_as_go_does() -> None:
    assert go_map({"b.low": 1, "a.high": 10}) == "map[a.high:10 b.low:1]"
    fields = Heartbeat("gpu-7:4312", 1795478262.9, 4, {"inference": 0}, "bootstrapping").fields(1.5)
    assert fields == {
        "worker_id": "gpu-7:4312",
        "started_at": "1795478262",
        "last_beat": "1",
        "concurrency": "4",
        "queues": "map[inference:0]",
        "status": "bootstrapping",
        "healthy": "1",
    }


def test_log_line_is_compact_json_with_raw_unicode() -> None:
    line = LogText(1795484095.421, 201, "\x1b[32mDEBUG\x1b[0m é中🚀\ttab").encode()
    assert line == (
        '{"ts":1795484095421,"src":"stderr",'
        '"text":"\\u001b[32mDEBUG\\u001b[0m é中🚀\\ttab","seq":201}'
    )
