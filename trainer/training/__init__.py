"""The training loop: epochs, augmentation, checkpoints, and one engine for each Keras backend."""
