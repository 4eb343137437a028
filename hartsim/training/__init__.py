"""Learning: the tokenizer, the transformer with its residual head.

Knows pictures with captions and models; knows no simulator and no scenario.
"""
