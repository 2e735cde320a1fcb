"""Fine-tuning: TRL trainers on a dataset artifact, on any number of ranks, with and without images in any mixture."""
