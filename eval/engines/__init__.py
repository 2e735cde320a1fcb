"""Engines: configuration that opens as a :class:`resa.generation.Generator`."""
