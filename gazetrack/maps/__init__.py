"""From a track of fixations to maps of gaze, on disk and in pictures."""
