"""Labelled pictures on disk: written whole or not at all, checked, exported and shown.

Knows samples; knows no models, no simulators, no scenarios (a scene is plain data in a sample).
"""
