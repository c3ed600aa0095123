"""The report as a page: one HTML file that opens from the disk, with everything in it."""
