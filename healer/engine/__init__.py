"""The async shell: probes send facts, one loop steps the world, acts are performed.

Nothing here has an opinion on health: an `if` that names a layer or a verdict belongs in the
core. Time comes from the clock port, the outside only through probes, remedies and the
journal, all handed in.
"""
