// Shows small pictures with sharp pixels, and says so where there is no picture.
const SMALL = 100;

function arrived(image) {
  image.classList.toggle("pixels", image.naturalWidth < SMALL && image.naturalHeight < SMALL);
}

function failed(image) {
  const said = document.createElement("span");
  said.className = "small p-1";
  said.textContent = "no picture";
  image.replaceWith(said);
}

for (const image of document.querySelectorAll(".thumbnail img, .large-picture img")) {
  if (image.complete && image.naturalWidth) arrived(image);
  else if (image.complete && image.loading !== "lazy") failed(image);
  image.addEventListener("load", () => arrived(image));
  image.addEventListener("error", () => failed(image));
}
