"""Plans: what a backup holds, and the document that tells a human how to build the tower anew.

Everything here is pure: from what was read to bytes, names and text. Nothing may look, write
or run; that is the adapters' part, and of a plan nobody's but the human's who reads it.
Of the commands that are built here to be run, each only reads (`reading`).
"""
