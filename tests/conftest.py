"""What holds for every test: in CI a skipped test is a failed run."""

import os
import signal

import pytest

# Tests run by sudo are root's: a healer under test must not become who called sudo.
os.environ.pop("SUDO_UID", None)
# What a shell starts in the background ignores Ctrl-C, and so would every program under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Name what CI had to run and did not."""
    del exitstatus, config
    if os.environ.get("CI") != "true":
        return
    for report in terminalreporter.stats.get("skipped", []):
        terminalreporter.write_line(f"CI must run this, and skipped it: {report.nodeid}", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A skip means that the machine lacks a part, which CI must install (README, Tests)."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter is not None and reporter.stats.get("skipped")
    if os.environ.get("CI") == "true" and exitstatus == 0 and skipped:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
