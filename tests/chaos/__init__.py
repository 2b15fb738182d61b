"""Publishing under fire: see README.md."""

# The platform listens on so many addresses: the product must not take all accounts for one service and rest them all together.
HOSTS = 6
