"""What each resource looks like as a table, defined once for every front end.

The screen, the text of ``snapshot`` and the report take columns, values, order and headings from
here. The screen adds colour, a document its markup. No module of this package imports Textual or
Rich.
"""
