"""SR Research EyeLink: ASC, EDF, and the reports of Data Viewer."""
