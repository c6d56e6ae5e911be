"""Fixtures of the tests of permissions: the program as the command line runs it."""

from tests.integration.cli.conftest import here

__all__ = ["here"]
