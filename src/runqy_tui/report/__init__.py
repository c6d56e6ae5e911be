"""The incident report: one picture of a deployment to hand on, as Markdown and as JSON."""

from runqy_tui.report.build import build_report
from runqy_tui.report.files import default_path, write_report
from runqy_tui.report.gather import make_report
from runqy_tui.report.json_form import to_object
from runqy_tui.report.markdown import to_markdown
from runqy_tui.report.model import Report, Watch

__all__ = [
    "Report",
    "Watch",
    "build_report",
    "default_path",
    "make_report",
    "to_markdown",
    "to_object",
    "write_report",
]
