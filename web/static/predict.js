// Asks for a new answer whenever the drawing, the file or an option changes. The answer is rendered by the server, as it is
// without JavaScript; the answers of the other models follow later.
import { Pad } from "./pad.js";
import { fetchPage } from "./page.js";

const form = document.getElementById("predict");
const byId = (id) => document.getElementById(id);

// While the user draws, an answer is requested this often.
const PAUSE_MS = 150;
// The other models are asked when the drawing has not changed for this long.
const OTHERS_PAUSE_MS = 500;
// While no predictor is online, the server is asked again after its Retry-After of five seconds: for a minute.
const MAX_RETRIES = 12;
const STARTING = "The predictor is starting …";

let pad = null;
let image = null; // the drawing or the file, whichever came last
let asking = false; // whether a request is under way
let again = false; // whether something has changed since it started
let question = 0; // the number of the newest request; older answers of the other models are dropped
let pause = null;
let othersPause = null;
let retry = null;

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

// One request at a time, so that a slow connection is not overloaded. The last change is always asked about.
async function ask(retries = 0) {
  question += 1;
  clearTimeout(othersPause);
  clearTimeout(retry);
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  let seconds = null;
  do {
    again = false;
    seconds = await askFirst(retries < MAX_RETRIES);
  } while (again);
  asking = false;
  if (seconds) retry = setTimeout(() => ask(retries + 1), seconds * 1000);
  else othersPause = setTimeout(askOthers, OTHERS_PAUSE_MS);
}

// Returns the seconds after which to ask again, if the predictor is starting and `patient`.
async function askFirst(patient) {
  const mine = image;
  const answer = byId("answer");
  answer.setAttribute("aria-busy", "true");
  try {
    const body = bodyWith(mine);
    body.delete("compare");
    const { response, page } = await fetchPage(form.action, { method: "POST", body });
    if (!image) return null; // cleared in the meantime
    if (patient && page.querySelector("[data-starting]")) {
      if (byId("answer").textContent !== STARTING) show(STARTING, "secondary", "status");
      return Number(response.headers.get("Retry-After"));
    }
    const arrived = page.getElementById("answer");
    if (arrived) put(...arrived.children);
    else show(page.querySelector("main")?.textContent ?? `The server answered with status ${response.status}.`);
  } catch {
    if (image) show("The server does not respond. Try again in a moment.");
  } finally {
    answer.removeAttribute("aria-busy");
  }
  return null;
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
    const { page } = await fetchPage(others.dataset.href, { method: "POST", body });
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

function show(text, color = "danger", role = "alert") {
  const alert = document.createElement("div");
  alert.className = `alert alert-${color}`;
  alert.role = role;
  alert.textContent = text;
  put(alert);
}

function put(...children) {
  byId("answer").replaceChildren(...children);
  // On a phone the answer is out of view while the user draws.
  byId("brief").textContent = byId("label")?.textContent ?? "";
}

function forget() {
  question += 1;
  clearTimeout(pause);
  clearTimeout(othersPause);
  clearTimeout(retry);
  pause = null;
  again = false;
  byId("others").hidden = true;
  put();
}

// Shows the drawing area only for models that take drawings.
function fitToModel() {
  const reasons = JSON.parse(byId("model-choices")?.dataset.noDrawing ?? "{}");
  const reason = reasons[form.elements.model.value];
  byId("drawing").hidden = byId("examples").hidden = Boolean(reason);
  byId("no-drawing").hidden = !reason;
  byId("no-drawing").textContent = reason ?? "";
  if (!reason || pad.empty) return;
  pad.clear();
}

// An example of each digit, as strokes on the drawing area of 280×280 pixels.
const arc = (x, y, rx, ry, from, to) =>
  Array.from({ length: 25 }, (_, step) => {
    const angle = ((from + ((to - from) * step) / 24) * Math.PI) / 180;
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)];
  });

const EXAMPLES = {
  0: [arc(140, 140, 58, 88, -90, 270)],
  1: [[[120, 75], [150, 50], [142, 130], [135, 230]]],
  2: [[...arc(138, 100, 52, 48, 190, 390), [90, 218], [120, 216], [205, 220]]],
  3: [[...arc(132, 95, 48, 42, 200, 450), ...arc(132, 182, 56, 46, -80, 160)]],
  4: [[[105, 55], [92, 120], [85, 150], [120, 152], [205, 148]], [[175, 70], [170, 150], [165, 235]]],
  5: [[[110, 58], [105, 100], [102, 128], ...arc(132, 175, 60, 52, -115, 150)], [[110, 58], [150, 58], [195, 54]]],
  6: [[[170, 50], [125, 95], [95, 150], ...arc(138, 185, 46, 44, 190, -170)]],
  7: [[[80, 62], [140, 60], [205, 60], [170, 130], [130, 235]]],
  8: [[...arc(140, 95, 42, 42, 90, 450), ...arc(140, 183, 50, 46, -90, 270)]],
  9: [[...arc(135, 100, 45, 44, 0, -360), [182, 120], [172, 180], [160, 235]]],
};

if (form) {
  pad = new Pad(byId("paper"), byId("pen"), drawn);
  fitToModel();
  byId("clear").addEventListener("click", () => pad.clear());
  byId("undo").addEventListener("click", () => pad.undo());
  for (const button of document.querySelectorAll("[data-example]")) {
    button.addEventListener("click", () => pad.set(structuredClone(EXAMPLES[button.dataset.example])));
  }
  form.addEventListener("change", (event) => {
    if (event.target.form !== form) return;
    if (event.target.name === "model") fitToModel();
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
