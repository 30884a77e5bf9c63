"""From the files that runs leave to one page, a spreadsheet, a sheet of paper."""
