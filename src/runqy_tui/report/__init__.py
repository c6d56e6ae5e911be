"""The incident report: the state of a deployment as Markdown and JSON, to pass on."""

from runqy_tui.report.markdown import to_markdown
from runqy_tui.report.report_builder import build_report, make_report
from runqy_tui.report.report_files import default_path, write_report
from runqy_tui.report.report_json import to_object
from runqy_tui.report.report_model import MonitorStatistics, Report

__all__ = [
    "MonitorStatistics",
    "Report",
    "build_report",
    "default_path",
    "make_report",
    "to_markdown",
    "to_object",
    "write_report",
]
