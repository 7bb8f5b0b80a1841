"""The real outside: each module implements a port, and nothing else in healer touches it.

Here live processes, files, sockets and client libraries. Every call has a deadline and bounded
memory, and foreign errors become those of `healer.ports` at the edge, the original chained.
Nothing here has an opinion: adapters neither judge health nor decide; they see and do.
They know `ports`, `core` and `model`, and never probes, remedies, the engine or the CLI.
"""
