"""Where the tests find the repository and the golden files, whatever folder they are in."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
