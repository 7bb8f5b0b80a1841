"""Telling people what happened: the drawn tower, plain lines, the report, one document.

Each file implements `engine.telling.Listener` or reads what one collected. Nothing here
decides, probes or acts, and nothing the engine does may depend on it.
"""
