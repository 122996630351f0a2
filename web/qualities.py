"""What the pages say of an image with which something is wrong: a sentence for each of `trainer.quality.Quality`."""

QUALITIES = {
    "blank": "There seems to be nothing on the image.",
    "several digits": "There seem to be several digits on the image; the largest was read.",
    "lines": "Lines of a box or a table lie along the digit, or there is nothing but a line.",
    "like no class": "The image looks like nothing that the model has learned.",
}
