// Asks again whenever the drawing, the file or an option changes, and puts the answer in place of the last one.
// The answer is rendered by the server, as it is without JavaScript; what the other models say comes after it.
import { EXAMPLES } from "./examples.js";
import { Pad } from "./pad.js";

const form = document.getElementById("predict");
const byId = (id) => document.getElementById(id);

// While somebody draws, an answer is asked for this often.
const PAUSE_MS = 150;
// The other models are asked when the drawing has been left alone for this long.
const OTHERS_PAUSE_MS = 500;

let pad = null;
let image = null; // what is asked about: the drawing or the file, whichever came last
let asking = false; // whether a request is under way
let again = false; // whether something has changed since it began
let question = 0; // the number of the newest; answers to older ones of the other models are dropped
let pause = null;
let othersPause = null;

function drawn() {
  byId("undo").disabled = byId("clear").disabled = pad.empty;
  if (pad.empty) {
    image = form.elements.file.files[0] ?? null;
    forget();
    return;
  }
  pause ??= setTimeout(async () => {
    pause = null;
    image = await pad.file();
    ask();
  }, PAUSE_MS);
}

// One request at a time: a slow line gets no more questions than it can answer, and the last one always is asked.
async function ask() {
  question += 1;
  clearTimeout(othersPause);
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  do {
    again = false;
    await askFirst();
  } while (again);
  asking = false;
  othersPause = setTimeout(askOthers, OTHERS_PAUSE_MS);
}

async function askFirst() {
  const mine = image;
  const answer = byId("answer");
  answer.setAttribute("aria-busy", "true");
  try {
    const body = bodyWith(mine);
    body.delete("compare");
    const response = await fetch(form.action, { method: "POST", body });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!image) return; // cleared meanwhile
    const arrived = page.getElementById("answer");
    if (arrived) put(...arrived.children);
    else show(page.querySelector("main")?.textContent ?? `The server answered with status ${response.status}.`);
  } catch {
    if (image) show("The server does not answer. Try again in a moment.");
  } finally {
    answer.removeAttribute("aria-busy");
  }
}

async function askOthers() {
  const mine = question;
  const others = byId("others");
  const body = image && bodyWith(image);
  if (!body?.has("compare")) {
    others.hidden = true;
    return;
  }
  others.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(others.dataset.href, { method: "POST", body });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (mine !== question) return;
    const arrived = page.getElementById("model-answers");
    if (arrived) byId("model-answers").replaceWith(arrived);
    others.hidden = !arrived;
  } catch {
    others.hidden = true;
  } finally {
    others.removeAttribute("aria-busy");
  }
}

function bodyWith(file) {
  const body = new FormData(form);
  body.set("file", file);
  return body;
}

function show(text) {
  const alert = document.createElement("div");
  alert.className = "alert alert-danger";
  alert.role = "alert";
  alert.textContent = text;
  put(alert);
}

function put(...children) {
  byId("answer").replaceChildren(...children);
  // On a phone the answer is out of sight while one draws.
  byId("brief").textContent = byId("label")?.textContent ?? "";
}

function forget() {
  question += 1;
  clearTimeout(pause);
  clearTimeout(othersPause);
  pause = null;
  again = false;
  byId("others").hidden = true;
  put();
}

if (form) {
  byId("drawing").hidden = byId("examples").hidden = false;
  pad = new Pad(byId("paper"), byId("pen"), drawn);
  byId("clear").addEventListener("click", () => pad.clear());
  byId("undo").addEventListener("click", () => pad.undo());
  for (const button of document.querySelectorAll("[data-example]")) {
    button.addEventListener("click", () => pad.set(structuredClone(EXAMPLES[button.dataset.example])));
  }
  form.addEventListener("change", (event) => {
    if (event.target.form !== form) return;
    if (event.target.name === "file") image = event.target.files[0] ?? image;
    if (event.target.name === "compare") {
      clearTimeout(othersPause);
      othersPause = setTimeout(askOthers, PAUSE_MS);
    } else if (image) ask();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (image) ask();
  });
  // A drawing needs no file.
  form.elements.file.addEventListener("invalid", (event) => {
    if (!image) return;
    event.preventDefault();
    ask();
  });
}
