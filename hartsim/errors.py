"""Errors that a user can act on; each message names the value, its place and the remedy."""


class HartSimError(Exception):
    """The base of every error that hartsim raises for its users."""


class ConfigError(HartSimError):
    """A configuration group, field or value does not exist or does not fit."""


class ScenarioError(HartSimError):
    """A scenario file, sentence or catalogue entry cannot be understood."""


class CheckpointError(HartSimError):
    """Weights are missing, broken, of an unsupported variant, or do not fit the request."""


class RenderError(HartSimError):
    """A picture cannot be painted: the model gives no numbers, or memory is too small."""


class WorldError(HartSimError):
    """A simulator is missing, refuses to start, or cannot show what a scene asks for."""


class WorldLostError(WorldError):
    """A simulator that was there no longer answers; a new one may show the scene again."""


class DatasetError(HartSimError):
    """A dataset folder is broken, is someone else's, or cannot be written."""
