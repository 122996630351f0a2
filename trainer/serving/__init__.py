"""Uses a trained model: batched inference, and exports to formats that need no Keras."""
