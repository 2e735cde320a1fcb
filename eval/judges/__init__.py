"""Judges: configuration that opens as an :class:`eval.measures.OpenJudge`. One file a judge."""
