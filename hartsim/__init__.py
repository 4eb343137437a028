"""hartsim."""
