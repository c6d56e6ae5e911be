"""Options that have two spellings become one setting."""

from __future__ import annotations

from typing import Any

import click
import pytest

from runqy_tui.cli.options import settings_options


@pytest.mark.parametrize("spelling", ["--colours", "--colors"])
def test_colours_may_be_spelled_the_american_way(spelling: str) -> None:
    given: dict[str, Any] = {}

    @click.command()
    @settings_options
    def command(**options: Any) -> None:
        given.update(options)

    command.main([spelling, "256"], standalone_mode=False)
    assert given["colours"] == "256"
    assert "colors" not in given
