"""How fast HART is and how good its pictures are, beside what machine and tokenizer allow.

Knows models, machines and corpora of true pictures. It does not know scenarios, worlds or datasets,
and never compares with other people's models: scripts under `benchmarks/` do that.
"""
