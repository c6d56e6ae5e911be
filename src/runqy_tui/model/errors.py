"""Errors a user sees: one line with what happened, why and the fix, and an exit code.

Exit codes follow ``sysexits.h`` where it has a fitting one; the README lists them.
"""

from __future__ import annotations


class RunqyTuiError(Exception):
    """An error whose text is meant for the user, never a traceback."""

    exit_code = 70  # EX_SOFTWARE: every subclass sets its own


class UsageError(RunqyTuiError):
    """The command line or the environment it runs in does not fit (exit code 2)."""

    exit_code = 2


class ConfigError(RunqyTuiError):
    """A setting has a bad value: names the setting, the value and the fix (``EX_CONFIG``)."""

    exit_code = 78


class NotFoundError(RunqyTuiError):
    """The requested object does not exist in this Redis (exit code 1)."""

    exit_code = 1


class OutputError(RunqyTuiError):
    """Standard output cannot be written (``EX_IOERR``)."""

    exit_code = 74


class CannotCreateError(RunqyTuiError):
    """A requested file cannot be created (``EX_CANTCREAT``)."""

    exit_code = 73


class ConnectionFailedError(RunqyTuiError):
    """Redis cannot be reached or does not answer in time (``EX_UNAVAILABLE``)."""

    exit_code = 69

    @classmethod
    def late(cls, what: str, address: str, seconds: float) -> ConnectionFailedError:
        """The error for ``what`` (``a poll``) that took longer than its deadline as a whole."""
        where = f"Redis at {address}" if address else "Redis"
        return cls(
            f"{where} did not answer {what} within {seconds:g} s: it is overloaded or "
            "far away. Check SLOWLOG there and the network, or raise --timeout."
        )


class AccessDeniedError(RunqyTuiError):
    """Redis refuses the credentials or a command (``EX_NOPERM``)."""

    exit_code = 77
