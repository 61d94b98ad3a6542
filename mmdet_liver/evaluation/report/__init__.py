"""What an evaluation leaves behind: tables, `metrics.json`, figures, sheets and one page.

content (`metrics.json`) -> table (what is printed), page (`report.html`); folder writes all.
"""
