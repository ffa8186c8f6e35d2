"""Pages a person reads: one per run, and the list of all runs. Self-contained HTML, every value escaped."""

from bcrabl.report.content import Origin, RunContent, Signals
from bcrabl.report.page import index_page, run_page

__all__ = ["Origin", "RunContent", "Signals", "index_page", "run_page"]
