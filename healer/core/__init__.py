"""The pure core: facts and a time go in, decisions come out.

Here live the tower, the reasons, the ladders and limits (as data), the world, and `step`.
Nothing here may ask for the time, draw a random number, read a file, log, or import
anything of healer's outside this package. Whatever is decided here can be printed,
simulated and replayed.
"""
