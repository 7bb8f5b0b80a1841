"""Probes: one file a layer; each looks at its layer and changes nothing.

A probe is handed eyes only. It translates what they answer, or how they fail, into findings,
signs of life or death, and `unknown`; it never acts, never decides what follows, and never
raises a PortError. No probe knows another: what they share is in `asking` and `guest`.
"""
