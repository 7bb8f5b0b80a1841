"""What a human must hear, once and no more: opened and not healed, gave up, resolved, a digest.

The deciding is pure: the world and the time in, notices out. The delivering is a task a
channel, so that a dead one delays neither the engine nor its siblings. Nothing here probes,
acts or opens a file: channels and the outbox are ports, handed in by the wiring.
"""
