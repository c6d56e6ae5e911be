"""A diagnosis of the tests' Redis, made as the program makes it: poll, closer look, findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runqy_tui.diagnosis.findings.detector_context import (
    ActiveTimes,
    DetectorContext,
    ServerHistory,
)
from runqy_tui.diagnosis.findings.finding import Finding
from runqy_tui.diagnosis.findings.registry import diagnose
from runqy_tui.observation.history import History
from runqy_tui.observation.task_sampling import TaskSampler
from runqy_tui.redis.reader import RedisReader


class Observer:
    """Polls a reader and remembers what detectors need."""

    def __init__(self, reader: RedisReader) -> None:
        self.reader = reader
        self.sampler, self.history = TaskSampler(), History()
        self.server, self.active = ServerHistory(), ActiveTimes()

    async def poll(self, **more: Any) -> tuple[Finding, ...]:
        """Everything that is wrong now."""
        seen = await self.reader.overview()
        await self.history.observe(seen)
        self.server.observe(seen)
        self.sampler.observe(await self.reader.check_tasks(self.sampler.plan(seen)))
        self.active.observe(self.sampler.current)
        sight = DetectorContext(
            seen,
            self.history,
            self.sampler.current,
            server_polls=self.server.polls,
            active_since=self.active.since,
            **more,
        )
        return await diagnose(sight)


async def sentences_of(reader: RedisReader, **more: Any) -> dict[str, str]:
    """Detector and subject of each finding, the most urgent first, with its severity."""
    return dict(_told(await Observer(reader).poll(**more)))


def _told(findings: tuple[Finding, ...]) -> Iterator[tuple[str, str]]:
    for finding in findings:
        queue = finding.subject.queue
        subject = finding.subject.name if queue is None else queue.name
        yield f"{finding.detector} {subject}", finding.severity.name.lower()
