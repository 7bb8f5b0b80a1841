"""Deciding again what was decided, from what was written down of it.

Here live the exact bytes of facts, worlds, policies and decisions, the records that are made
of them, and the run through `step` that compares. Pure: nothing here reads a file, asks for
the time, or knows who kept the bytes; the engine records, an adapter keeps, a command prints.
"""
