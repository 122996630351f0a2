"""The index for browsing all images of a classification. It is separate from `review_queue`: a merge writes the
queue with its pictures, and this one, 25 s for a million rows, is built only when a user opens the page."""
