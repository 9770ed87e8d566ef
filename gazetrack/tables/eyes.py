"""Whose eye's fixations a table may be asked to hold; `gazetrack.tables.selection` chooses them."""

from __future__ import annotations

# Of each recording the eye with more fixation time, always one and the same, or a row of each eye.
EYE_CHOICES = ("auto", "left", "right", "both")
DEFAULT_EYE = "auto"
