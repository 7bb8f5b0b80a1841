"""What a running daemon answers, by its control socket and by HTTP.

Answers come from memory: nothing here probes, decides or acts, and no slow or hostile client
may keep the engine from its work. What an answer says is made in `telemetry`; what it may
change is handed in by the wiring.
"""
