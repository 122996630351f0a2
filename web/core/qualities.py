"""A sentence for each `Quality` of an image, as the pages show it."""

QUALITIES = {
    "blank": "The image appears to be blank.",
    "multiple_digits": "The image appears to show several digits; the largest one was read.",
    "lines": "Lines of a box or table run along the digit, or the image shows only a line.",
    "out_of_distribution": "The image is unlike the model's training images.",
}
