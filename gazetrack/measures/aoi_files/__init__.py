"""Files of areas of interest: our own, and those of programs that people draw them with."""
