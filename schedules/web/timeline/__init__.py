"""The timeline as the server draws it: zooms, lanes, where posts stand in them, what is at risk, their markup.

Nothing here asks the database, except `parts`, which answers for others with a lane that has changed.
"""
