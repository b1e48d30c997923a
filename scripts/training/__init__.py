"""Training LPRNet: the recipe's stages, batches, optimiser, pruning masks, accuracy and the journal of a run."""
