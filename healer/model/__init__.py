"""The outside world as values: what adapters decode into and probes judge.

Small frozen structs, and the pure functions that the facts give word for word (kubectl's
STATUS column, LiveKit's drift after defaulting, when a pod may be deleted). No I/O, no
clock: ages are computed from times that the target itself gave.
"""
