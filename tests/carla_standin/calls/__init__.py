"""What each call does, by its name on the wire."""

from tests.carla_standin.calls import actors, batch, objects, recordings, traffic, world
from tests.carla_standin.calls.registry import CALLS, Handler

__all__ = ["CALLS", "Handler", "actors", "batch", "objects", "recordings", "traffic", "world"]
