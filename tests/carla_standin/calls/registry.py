"""The table of calls, and the three ways in which they are answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.carla_standin import wire

CALLS: dict[str, "Handler"] = {}
Function = Callable[..., Any]


@dataclass(frozen=True)
class Handler:
    """A function (server, *arguments) and whether its result is a value, nothing, or bare."""

    function: Function
    reply: Literal["value", "nothing", "bare"]

    def answer(self, server: Any, *arguments: Any) -> list[Any]:
        """The reply to a call."""
        result = self.function(server, *arguments)
        if self.reply == "bare":
            return list(result)
        return wire.value(result) if self.reply == "value" else wire.done()

    def failed(self, message: str) -> list[Any]:
        """The reply that holds an error."""
        return wire.failure(message) if self.reply == "value" else wire.undone(message)


def gives(function: Function) -> Function:
    """A call whose reply is a value."""
    CALLS[function.__name__] = Handler(function, "value")
    return function


def does(function: Function) -> Function:
    """A call whose reply is nothing."""
    CALLS[function.__name__] = Handler(function, "nothing")
    return function


def bare(function: Function) -> Function:
    """A call whose reply comes as it is."""
    CALLS[function.__name__] = Handler(function, "bare")
    return function
