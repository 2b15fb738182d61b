"""The shared floor: a library without tables that imports nothing of ours."""
