"""What a study asks of its tables: areas of interest, pupil, scanpaths, saliency scores."""
