"""Events: what facts look like from outside, the live stream, and consumers in installed packages."""
