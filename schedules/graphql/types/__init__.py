"""What can be read, one module a subject. Each type of a table is made by `nodes.node`, so that none is read past `visible_to`."""
