"""Values for property tests: numbers, distributions and scenarios that a file could hold."""

from hypothesis import strategies as st

from hartsim.scenario.broad import broad_scenario
from hartsim.scenario.schema import Distribution, Scenario

seeds = st.integers(0, 2**31)
indices = st.integers(0, 10**6)
quantiles = st.floats(0, 1, exclude_max=True)
words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)


@st.composite
def spans(draw: st.DrawFn, low: float = -1e6, high: float = 1e6) -> tuple[float, float]:
    """Two ends in order."""
    ends = sorted(draw(st.tuples(st.floats(low, high), st.floats(low, high))))
    return ends[0], ends[1]


@st.composite
def choices(draw: st.DrawFn) -> Distribution:
    """Distinct options, with weights or without; at least one weight is positive."""
    options = draw(st.lists(words, min_size=1, max_size=5, unique=True))
    weight = st.floats(0, 100)
    weights = st.lists(weight, min_size=len(options), max_size=len(options))
    usable = weights.filter(lambda each: sum(each) > 0).map(tuple)
    return Distribution("choice", tuple(options), draw(st.none() | usable))


@st.composite
def ranges(draw: st.DrawFn) -> Distribution:
    """A distribution of numbers of any kind."""
    kind = draw(st.sampled_from(["uniform", "normal", "loguniform", "integer"]))
    low, high = draw(spans(1e-6) if kind == "loguniform" else spans())
    if kind == "integer":
        low, high = float(round(low)), float(round(high))
    mean, std = draw(st.floats(-1e6, 1e6)), draw(st.floats(1e-6, 1e6))
    return Distribution(kind, low=low, high=high, mean=mean, std=std)


distributions = choices() | ranges()
tasks = st.sampled_from(["driving", "robot"])
scenarios: st.SearchStrategy[Scenario] = st.builds(broad_scenario, tasks, seeds)
"""Concrete scenarios from the whole width of the catalogue."""
