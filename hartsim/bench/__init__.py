"""How fast HART is, how much memory it takes, and how near it comes to what the machine can do.

Knows models and machines. It does not know scenarios, worlds or datasets, does not judge pictures,
and never compares with other people's models: scripts under `benchmarks/` do that.
"""
