"""The pages that show the images of a classification: thumbnails, and each image."""
