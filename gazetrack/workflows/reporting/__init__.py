"""The parts of a report: what is measured, judged, packed and drawn, and the page they make."""
