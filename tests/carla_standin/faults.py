"""What goes wrong with which call: rules such as `tick_cue`, or `tick_cue:5` after five of them."""

import os
from collections import Counter
from collections.abc import Iterable

from tests.carla_standin.knobs import Knobs

DIED, BROKEN = 70, 71
"""The exit codes of a server that was to die, and of one with a fault of its own."""


class Faults:
    """Counts calls and ticks, and says what goes wrong with the one at hand."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs, self._calls, self._ticks = knobs, Counter[str](), 0

    def count(self, name: str) -> None:
        """Take note of a call; the server may die of it."""
        self._calls[name] += 1
        if self._rule(name, self._knobs.die_at):
            os._exit(DIED)

    def count_tick(self) -> None:
        """Take note of a tick; the server may die of it."""
        self._ticks += 1
        if 0 < self._knobs.die_after_ticks <= self._ticks:
            os._exit(DIED)

    def delay_s(self, name: str) -> float:
        """How long this call waits."""
        rule = self._rule(name, self._knobs.call_delay_s)
        return self._knobs.delay_s + (self._knobs.call_delay_s[rule] if rule else 0.0)

    def silences(self, name: str) -> bool:
        """Whether this call gets no answer."""
        return self._rule(name, self._knobs.silent) is not None

    def error(self, name: str) -> str | None:
        """What this call gets instead of its answer."""
        rule = self._rule(name, self._knobs.error)
        return self._knobs.error[rule] if rule else None

    def _rule(self, name: str, rules: Iterable[str]) -> str | None:
        """The rule that holds for the call that was counted last."""
        for rule in rules:
            wanted, _, first = rule.partition(":")
            if wanted == name and self._calls[name] > int(first or 0):
                return rule
        return None
