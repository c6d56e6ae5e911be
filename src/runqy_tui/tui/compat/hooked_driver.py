"""Hooks for the terminal driver: what Textual does in private methods, as public ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

from runqy_tui.tui.compat.private_names import DRIVER


class HookedDriver(LinuxDriver):
    """Textual's driver; what it does privately is done by public methods of a subclass."""

    @property
    def app(self) -> App[Any]:
        """The app that it serves."""
        return self._app

    @property
    def loop(self) -> Any:
        """The event loop of the app."""
        return self._loop

    @property
    def output(self) -> Any:
        """The file that is written to."""
        return self._file

    @output.setter
    def output(self, file: Any) -> None:
        self._file = file

    @property
    def is_active(self) -> bool:
        """Whether the terminal is in application mode."""
        return self._writer_thread is not None and self._writer_thread.is_alive()

    @property
    def mouse(self) -> bool:
        """Whether the mouse is wanted."""
        return self._mouse

    @mouse.setter
    def mouse(self, wanted: bool) -> None:
        self._mouse = wanted

    @property
    def mouse_in_pixels(self) -> bool:
        """Whether the mouse was reported in pixels at some time."""
        return self._mouse_pixels

    @property
    def sizes_in_band(self) -> bool:
        """Whether the terminal reports sizes in band (mode 2048)."""
        return self._in_band_window_resize

    @property
    def restarts_after_stop(self) -> bool:
        """Whether application mode ends with a stop and starts again with a continue signal."""
        return self._auto_restart

    def resume(self) -> None:
        """Start application mode again, and publish the app's resume signal."""
        self._must_signal_resume = True
        self.resume_application_mode()

    def enable_mouse_pixels(self) -> None:
        """Have the mouse reported in pixels."""
        self._enable_mouse_pixels()

    def read_size(self) -> tuple[int, int]:
        """Columns and rows of the terminal now."""
        return self._get_terminal_size()

    # What a subclass provides

    def enable_mouse(self) -> None:
        """Switch mouse reports on, if :attr:`mouse` is set."""
        raise NotImplementedError

    def disable_mouse(self) -> None:
        """Switch mouse reports off."""
        raise NotImplementedError

    def handle_stop_signal(self) -> None:
        """React to SIGTSTP."""
        raise NotImplementedError

    def handle_continue_signal(self) -> None:
        """React to SIGCONT."""
        raise NotImplementedError

    def input_failed(self, error: Exception) -> None:
        """React to an exception of the input thread; called in that thread."""
        raise NotImplementedError

    def terminal_size(self) -> tuple[int, int] | None:
        """Columns and rows; ``None`` to have Textual find out."""
        return None

    # What Textual calls

    def _enable_mouse_support(self) -> None:
        self.enable_mouse()

    def _disable_mouse_support(self) -> None:
        self.disable_mouse()

    def _sigtstp_application(self, *_: object) -> None:
        self.handle_stop_signal()

    def _sigcont_application(self, *_: object) -> None:
        self.handle_continue_signal()

    def _get_terminal_size(self) -> tuple[int, int]:
        return self.terminal_size() or super()._get_terminal_size()

    def _run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except Exception as error:  # noqa: BLE001 -- an error of the thread is one of the app
            self.input_failed(error)


def replace_in_driver(decoder: Callable[[str], Any], writer: Callable[[Any], Any]) -> None:
    """Have the driver decode its input and write its output by these, where available.

    Args:
        decoder: as :func:`codecs.getincrementaldecoder`.
        writer: makes what has the methods of Textual's writer thread, for a file.
    """
    if DRIVER.is_available:
        linux_driver.getincrementaldecoder = decoder  # type: ignore[assignment,attr-defined]
        linux_driver.WriterThread = writer  # type: ignore[assignment,attr-defined]
