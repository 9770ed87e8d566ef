"""Reports: one page of HTML that holds all it shows, of a run or of a comparison."""
