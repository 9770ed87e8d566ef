"""Event detectors: one algorithm a file, a frozen parameter dataclass and one function."""
