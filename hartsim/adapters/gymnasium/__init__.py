"""Gymnasium environments over a `World`, and wrappers that give any environment other looks.

Knows worlds, scenarios and banks; knows no model: what wrappers show was rendered before.
"""
