"""The security log: who tried to get in, what was refused, what changed about who may what, and what of it is odd."""
