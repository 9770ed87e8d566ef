"""The viewer: a page of this machine alone, with images, their gaze, and what a network sees."""
