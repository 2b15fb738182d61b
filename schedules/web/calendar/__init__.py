"""The calendar as the server draws it: which days a view shows, where events stand in it, their markup.

Nothing here asks the database, except `parts`, which answers for others with cells that have changed.
"""
