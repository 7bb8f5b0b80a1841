"""Remedies: each answers `needed()` by looking again, and does its one thing in `act()`.

A remedy decides nothing: whether it may run is the core's affair, and whether it helped is
told by probes only. What it sees in `needed()` must be sure: an error of a port there means
that it does not act. Doing it twice is doing it once. No remedy knows a probe.
"""
