// Shows small images with sharp pixels, and a note in place of images that cannot be loaded.
const SMALL = 100;

function loaded(image) {
  image.classList.toggle("pixels", image.naturalWidth < SMALL && image.naturalHeight < SMALL);
}

function failed(image) {
  const note = document.createElement("span");
  note.className = "small p-1";
  note.textContent = "no picture";
  image.replaceWith(note);
}

for (const image of document.querySelectorAll(".thumbnail img, .large-picture img")) {
  if (image.complete && image.naturalWidth) loaded(image);
  else if (image.complete && image.loading !== "lazy") failed(image);
  image.addEventListener("load", () => loaded(image));
  image.addEventListener("error", () => failed(image));
}
