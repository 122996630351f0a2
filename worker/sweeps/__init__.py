"""The job that searches hyperparameters: its parameters, its trials and their ranking."""
