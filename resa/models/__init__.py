"""Load any image-text-to-text model; where each architecture keeps its parts; what a checkpoint is; the tiny model."""
