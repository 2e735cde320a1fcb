"""The report: ``summary.json``, the terminal table, the plots, the HTML page, and tables over several runs."""
