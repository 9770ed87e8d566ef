"""Figures of gaze, events and measures: each function returns a matplotlib Figure."""
