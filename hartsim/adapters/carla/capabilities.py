"""What a client of CARLA can do, told by looking at it, since builds of one version differ too.

Layouts of streams and calls cannot be looked at: a client of another version than its server ends
the process, so that `connection.check_versions` compares those.
"""

from collections.abc import Iterable
from typing import Any

from hartsim.errors import WorldError

NEEDED: tuple[str, ...] = (
    "Client.apply_batch",
    "Client.apply_batch_sync",
    "Client.get_trafficmanager",
    "World.get_environment_objects",
    "World.get_snapshot",
    "World.reset_all_traffic_lights",
    "World.set_pedestrians_seed",
    "Map.get_waypoint",
    "ServerSideSensor.is_listening",
    "CityObjectLabel",
    "VehicleLightState",
    "command.ApplyTransform",
    "command.ApplyWalkerControl",
    "command.DestroyActor",
    "command.SetAutopilot",
    "command.SetSimulatePhysics",
    "command.SetVehicleLightState",
)
"""What every scene takes; 0.9.15, 0.9.16 and 0.10.0 have it all."""

PAINTING: tuple[str, ...] = (
    "World.get_names_of_all_objects",
    "World.apply_color_texture_to_object",
    "World.apply_textures_to_object",
    "TextureColor",
    "TextureFloatColor",
    "MaterialParameter",
)
"""What textures take beyond that."""

NO_REASON = "std::exception"
"""All that clients built without exceptions across their libraries say of an error: 0.10.0's."""
OUT_OF_TIME = ("time-out", "Connection refused")
"""What clients say when a server does not answer."""


def lacking(client: Any, names: Iterable[str]) -> list[str]:
    """Those of the dotted names that a client library does not have."""
    return [name for name in names if not _has(client, name)]


def _has(client: Any, name: str) -> bool:
    found = client
    for part in name.split("."):
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def require(client: Any, names: Iterable[str], what: str) -> None:
    """Raise WorldError, naming all, where a client library lacks what something takes."""
    if missing := lacking(client, names):
        raise WorldError(
            f"{what} takes {', '.join(missing)}, which this build of the CARLA client has not; "
            "install the client and the server of 0.9.16, or of 0.9.15"
        )


def gives_no_reason(error: BaseException) -> bool:
    """Whether all that a client said of an error is that there was one."""
    return str(error).strip() == NO_REASON


def is_out_of_time(error: BaseException, waited_s: float, timeout_s: float) -> bool:
    """Whether a call failed because no answer came: by its words, or where it has none by time."""
    if gives_no_reason(error):
        return waited_s >= 0.95 * timeout_s
    return any(words in str(error) for words in OUT_OF_TIME)


def may_be_collision(error: BaseException) -> bool:
    """Whether a spawning may have failed because something was in the way."""
    cause = error.__cause__ or error
    return "collision" in str(cause) or gives_no_reason(cause)
