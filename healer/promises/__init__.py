"""The promises of healer as code: one named predicate each over the history of a run.

They read what was told, decided and done, and never how. The same predicates judge a drill, a
test and a million explored schedules. Nothing here may ask, act or know of a simulation: a
history is all they see, and whoever records one may be a laboratory, a tower of bits or a journal.
"""
