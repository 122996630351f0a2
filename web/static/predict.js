// Asks again whenever the drawing, the file or an option changes, and puts the answer in place of the last one.
// The answer is rendered by the server, as it is without JavaScript.
const form = document.getElementById("predict");
const paper = document.getElementById("paper");
const pen = document.getElementById("pen");
const ink = paper?.getContext("2d");

const LINE = 20;
const KEY_STEP = 10;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

let image = null; // what is asked about: the drawing or the file, whichever came last
let asked = null; // the request under way
let last = null; // where the pen was
let penAt = [140, 60]; // where the keyboard's pen is
let pause = null;

function clear() {
  ink.fillStyle = "white";
  ink.fillRect(0, 0, paper.width, paper.height);
}

function line(from, to) {
  ink.lineWidth = LINE;
  ink.lineCap = ink.lineJoin = "round";
  ink.beginPath();
  ink.moveTo(...from);
  ink.lineTo(...to);
  ink.stroke();
}

function place(event) {
  const box = paper.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * paper.width, ((event.clientY - box.top) / box.height) * paper.height];
}

function showPen() {
  pen.style.left = `${(penAt[0] / paper.width) * 100}%`;
  pen.style.top = `${(penAt[1] / paper.height) * 100}%`;
}

function askAboutDrawing() {
  clearTimeout(pause);
  pause = setTimeout(() => {
    paper.toBlob((blob) => {
      image = new File([blob], "drawing.png", { type: "image/png" });
      ask();
    });
  }, 150);
}

async function ask() {
  asked?.abort();
  const mine = (asked = new AbortController());
  const body = new FormData(form);
  body.set("file", image);
  const answer = document.getElementById("answer");
  answer.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(form.action, { method: "POST", body, signal: mine.signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const arrived = page.getElementById("answer");
    if (arrived) put(...arrived.children);
    else show(page.querySelector("main")?.textContent ?? `The server answered with status ${response.status}.`);
  } catch (error) {
    if (error.name !== "AbortError") show("The server does not answer. Try again in a moment.");
  } finally {
    if (asked === mine) answer.removeAttribute("aria-busy");
  }
}

function show(text) {
  const alert = document.createElement("div");
  alert.className = "alert alert-danger";
  alert.role = "alert";
  alert.textContent = text;
  put(alert);
}

function put(...children) {
  document.getElementById("answer").replaceChildren(...children);
  // On a phone the answer is out of sight while one draws.
  document.getElementById("brief").textContent = document.getElementById("label")?.textContent ?? "";
}

function startDrawing() {
  clear();
  showPen();
  document.getElementById("drawing").hidden = false;
  paper.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    paper.setPointerCapture(event.pointerId);
    last = place(event);
    line(last, last);
  });
  paper.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const moved of event.getCoalescedEvents?.() ?? [event]) {
      const now = place(moved);
      line(last, now);
      last = now;
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    paper.addEventListener(end, () => {
      if (last) askAboutDrawing();
      last = null;
    });
  }
  paper.addEventListener("keydown", (event) => {
    const way = KEYS[event.key];
    if (!way) return;
    event.preventDefault();
    pen.hidden = false;
    const from = penAt;
    penAt = from.map((at, axis) => Math.min(Math.max(at + way[axis] * KEY_STEP, LINE), paper.width - LINE));
    showPen();
    if (event.shiftKey) return;
    line(from, penAt);
    askAboutDrawing();
  });
  paper.addEventListener("blur", () => (pen.hidden = true));
  document.getElementById("clear").addEventListener("click", () => {
    clear();
    clearTimeout(pause);
    asked?.abort();
    image = form.elements.file.files[0] ?? null;
    put();
  });
}

if (form) {
  startDrawing();
  form.addEventListener("change", (event) => {
    if (event.target.name === "file") image = event.target.files[0] ?? image;
    if (image) ask();
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
