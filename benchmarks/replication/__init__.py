"""HART's headline claim, "the quality of diffusion at several times the speed", replicated small.

Three models of equal parameters on one tokenizer, one design of text encoder, the same pictures and
equal training arithmetic: HART, VAR (HART without its residual head) and diffusion transformers on
the same latents. See docs/replication.md; `python -m benchmarks.replication --help`.
"""
