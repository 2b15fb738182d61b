"""Inbound hooks: other programs make drafts and schedules by posting JSON to an address of their own."""
