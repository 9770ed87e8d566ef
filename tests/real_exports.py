"""Real exports, read as the library reads them: found by their content."""

from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head


def read_export(path):
    """Return the recording in a file, which must be of a format that is told by its content."""
    head = read_head(path)
    return registry.get(registry.detect(head).name).read(head, ReadOptions())
