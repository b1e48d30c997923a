"""Training LPRNet: the recipe's stages, batches, optimizer, pruning masks, accuracy and the journal of a run."""
