"""Images by id: pictures, and slices of volumes."""
