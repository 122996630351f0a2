"""What comes with the images: the columns of a manifest, and the true labels that folders name."""
