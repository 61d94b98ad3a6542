"""What a data set holds, and what in it looks wrong: tables, figures, a gallery and one page.

tables (COCO files -> columns) -> groups (by diagnosis) -> summary (statistics.csv), suspicious
(suspicious.csv), figures, gallery -> page (index.html). Only the gallery opens images.
"""
