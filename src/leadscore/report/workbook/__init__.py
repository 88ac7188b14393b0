"""The list as a workbook that people work from: a summary, and a sheet for each rep or team."""
