"""HART, the Hybrid Autoregressive Transformer (arXiv 2410.10812): prompts in, images out.

This package knows tensors, prompts, masks and weights. It does not know scenarios, simulators,
datasets or command lines; whatever a picture is for is decided outside.
"""
