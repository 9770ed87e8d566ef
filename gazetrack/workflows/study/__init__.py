"""A study in one file: what it says, which steps it takes, and going on where it was stopped."""
