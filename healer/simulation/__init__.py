"""The tower as a simulation behind the same ports, on a virtual clock.

Physics live here: boots take time, forwards die, taints come back, events linger. The real
engine and the real remedies run over it unchanged (`healer drill`). Each behaviour cites the
fact it plays. Nothing here may touch the real machine: no file, process, socket or clock.
"""
