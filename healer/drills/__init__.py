"""Drills: what befalls a simulated tower, the real engine over it, and what must come of it.

Scenarios are data (`scenarios/*.toml`, or a file of the reader's own); the runner lets the
daemon live through one, as many lives as it takes, and writes everything down as a
`healer.promises` history. Nothing here touches the real machine, and no scenario knows the code.
"""
