// Makes the review fast: one key per image, the next image is shown immediately, and answers are sent in the background.
const root = document.getElementById("review");
const byId = (id) => document.getElementById(id);
const { href } = root.dataset;
const total = Number(root.dataset.total);
let corrected = Number(root.dataset.corrected);
let current = Number(root.dataset.rank);

const PAGE = 100; // items per request
const AHEAD = 8; // images loaded before they are shown
const RETRY_MS = 2000;
const FEW_PIXELS = 64; // images up to this width are shown with sharp pixels

const percent = (share) => `${(share * 100).toFixed(1)} %`;
const number = (count) => count.toLocaleString("en");
const named = (label) => (label === null ? "none of these" : label);

// --- loading items -----------------------------------------------------------------------------------------------

const pages = new Map();

function loadPage(start) {
  if (!pages.has(start)) {
    const loading = fetch(`${href}?cursor=${start}&limit=${PAGE}`).then(async (response) => {
      if (!response.ok) throw new Error((await response.json()).detail);
      return (await response.json()).items;
    });
    loading.catch(() => pages.delete(start));
    pages.set(start, loading);
  }
  return pages.get(start);
}

async function itemAt(rank) {
  if (rank < 0 || rank >= total) return null;
  const start = rank - (rank % PAGE);
  return (await loadPage(start))[rank - start];
}

const fetched = new Map(); // images that are loading or loaded
function prefetch(item) {
  for (const source of [item?.links.picture, item?.links.model_input]) {
    if (!source || fetched.has(source)) continue;
    const image = new Image();
    image.src = source;
    fetched.set(source, image);
    if (fetched.size > 8 * AHEAD) fetched.delete(fetched.keys().next().value);
  }
}

async function nextOpen(rank) {
  for (let step = 1; step < total; step += 1) {
    const candidate = (rank + step) % total;
    if (!(await itemAt(candidate)).correction) return candidate;
  }
  return null;
}

// --- showing an item ---------------------------------------------------------------------------------------------

let asked = 0; // the number of the newest move; older ones are not shown

async function show(rank, announced = "") {
  const mine = (asked += 1);
  let item;
  try {
    item = await itemAt(rank);
  } catch (error) {
    showError(`The next images could not be loaded: ${error.message}`);
    return;
  }
  if (mine !== asked || !item) return;
  current = rank;
  picture(byId("original"), item.links.picture);
  picture(byId("model-input"), item.links.model_input);
  byId("no-picture").hidden = Boolean(item.links.picture);
  byId("name").textContent = item.name + (item.true_label === null ? "" : `, labeled ${item.true_label}`);
  byId("answer").textContent = `${item.prediction}, ${percent(item.confidence)} confidence`;
  const other = item.runner_up === null ? "" : `, or ${item.runner_up} (${percent(item.runner_up_confidence)})`;
  byId("runner-up").textContent = other;
  byId("reason").textContent = item.reason;
  byId("confirm").value = item.prediction;
  byId("confirm-label").textContent = item.prediction;
  byId("rank").textContent = `${number(rank + 1)} of ${number(total)}`;
  byId("previous").classList.toggle("disabled", rank === 0);
  byId("next").classList.toggle("disabled", rank + 1 === total);
  for (const button of byId("choices").querySelectorAll(".review-classes button")) {
    button.classList.toggle("predicted", button.value === item.prediction);
    button.classList.toggle("runner-up", button.value === item.runner_up);
  }
  showCorrection(item);
  history.replaceState(null, "", `?rank=${rank}`);
  const already = item.correction ? ` Your answer: ${named(item.correction.label)}.` : "";
  byId("announcement").textContent =
    `${announced} ${number(rank + 1)} of ${number(total)}: ${item.prediction}, ${percent(item.confidence)} confidence${other}.${already}`.trim();
  await showStrip(rank, mine);
  for (let ahead = 1; ahead <= AHEAD; ahead += 1) itemAt(rank + ahead).then(prefetch, () => {});
}

// Hides the previous image while the new one is loading, so that it is never shown beside the wrong answer.
function picture(image, source) {
  image.hidden = !source;
  if (!source || image.getAttribute("src") === source) return;
  image.src = source;
  image.classList.toggle("loading", !image.complete);
  image.onload = () => {
    image.classList.remove("loading");
    image.classList.toggle("pixels", image.naturalWidth <= FEW_PIXELS);
  };
}

function showCorrection(item) {
  const shown = byId("correction");
  shown.textContent = item.correction ? "Your answer: " : "";
  if (item.correction) shown.append(Object.assign(document.createElement("strong"), { textContent: named(item.correction.label) }));
  for (const button of byId("choices").querySelectorAll(".review-classes button")) {
    button.classList.toggle("chosen", item.correction?.label === button.value);
  }
  byId("none").classList.toggle("active", item.correction?.label === null);
}

async function showStrip(rank, mine) {
  const around = Math.max(2, Math.min(5, Math.floor(byId("choices").clientWidth / 2 / 60) - 1));
  const first = Math.max(0, Math.min(rank - around, total - 2 * around - 1));
  const ranks = Array.from({ length: Math.min(2 * around + 1, total) }, (_, index) => first + index);
  const items = await Promise.all(ranks.map(itemAt));
  if (mine !== asked) return;
  byId("strip").replaceChildren(...items.map(thumbnail));
  byId("strip").hidden = false;
}

function thumbnail(item) {
  const button = document.createElement("button");
  button.type = "button";
  const text = item.correction ? named(item.correction.label) : item.prediction;
  button.setAttribute("aria-label", `${item.rank + 1}: ${item.prediction}${item.correction ? `, your answer ${text}` : ""}`);
  if (item.rank === current) button.setAttribute("aria-current", "true");
  if (item.links.model_input) button.append(Object.assign(new Image(28, 28), { src: item.links.model_input, alt: "" }));
  const caption = document.createElement("span");
  caption.textContent = item.correction ? `${item.correction.label ?? "–"} ✓` : item.prediction;
  caption.classList.toggle("chosen", Boolean(item.correction));
  button.append(caption);
  button.addEventListener("click", () => move(item.rank));
  const entry = document.createElement("li");
  entry.append(button);
  return entry;
}

function move(rank) {
  if (rank >= 0 && rank < total) show(rank);
}

// --- answering -----------------------------------------------------------------------------------------------------

const done = []; // the answers given on this page, for undo: { item, before }

let answering = false; // ignores keys until the next image is shown

async function answer(label) {
  if (answering) return;
  answering = true;
  try {
    const item = await itemAt(current);
    done.push({ item, before: item.correction });
    change(item, { label });
    const next = await nextOpen(item.rank);
    const announced = `${item.prediction === label ? "Confirmed" : "Saved"}: ${named(label)}.`;
    byId("finished").hidden = next !== null;
    await (next === null ? show(item.rank, `${announced} All answers are reviewed.`) : show(next, announced));
  } catch (error) {
    showError(`The next image could not be loaded: ${error.message}`);
  } finally {
    answering = false;
  }
}

async function undo() {
  const last = done.pop();
  const item = last?.item ?? (await itemAt(current));
  if (!last && !item.correction) {
    byId("announcement").textContent = "Nothing to undo.";
    return;
  }
  change(item, last?.before ?? null);
  byId("finished").hidden = true;
  show(item.rank, "Undone.");
}

function change(item, correction) {
  corrected += Number(Boolean(correction)) - Number(Boolean(item.correction));
  item.correction = correction;
  byId("progress").value = corrected;
  byId("progress-text").textContent = `${number(corrected)} of ${number(total)} reviewed`;
  byId("merge").hidden = corrected === 0;
  send(item, correction);
}

let sending = Promise.resolve();
let unsent = 0;

function send(item, correction) {
  unsent += 1;
  sending = sending.then(async () => {
    await deliver(item, correction);
    unsent -= 1;
    if (byId("error").dataset.passing) byId("error").hidden = true;
  });
}

async function deliver(item, correction) {
  const options = correction
    ? { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ label: correction.label }) }
    : { method: "DELETE" };
  for (;;) {
    try {
      const response = await fetch(item.links.self, options);
      if (response.ok) return;
      if (response.status < 500) {
        showError(`${item.name} was not saved: ${(await response.json()).detail}`);
        return;
      }
    } catch {
      // The server is unreachable: try again below.
    }
    showError(`The server does not respond. Unsent answers: ${unsent}. They are sent when it is back; keep this page open.`, true);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function showError(text, passing = false) {
  byId("error").textContent = text;
  byId("error").dataset.passing = passing ? "yes" : "";
  byId("error").hidden = false;
}

addEventListener("beforeunload", (event) => {
  if (unsent) event.preventDefault();
});

// --- keys and buttons ----------------------------------------------------------------------------------------------

byId("choices").addEventListener("submit", (event) => {
  event.preventDefault();
  const button = event.submitter;
  if (button.name === "clear") undo();
  else answer(button.name === "none" ? null : button.value);
});

// After a click or touch, Enter must confirm the next answer and not press the same button again.
byId("choices").addEventListener("click", (event) => {
  if (event.detail) event.target.closest("button")?.blur();
});

for (const [id, step] of [["previous", -1], ["next", 1]]) {
  byId(id).addEventListener("click", (event) => {
    event.preventDefault();
    move(current + step);
  });
}

const answers = { Enter: () => answer(byId("confirm").value), Delete: () => answer(null), Backspace: undo };
const moves = {
  ArrowLeft: () => move(current - 1),
  ArrowRight: () => move(current + 1),
  Home: () => move(0),
  End: () => move(total - 1),
};

function actionOf(event) {
  const keyed = [...byId("choices").querySelectorAll("[data-key]")];
  const button =
    keyed.find((each) => each.dataset.key === event.key) ??
    keyed.find((each) => each.dataset.key === event.key.toLowerCase());
  if (button) return event.repeat ? () => {} : () => button.form.requestSubmit(button);
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return null; // presses that element
  if (event.key in answers) return event.repeat ? () => {} : answers[event.key];
  return moves[event.key] ?? null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const action = actionOf(event);
  if (!action) return;
  event.preventDefault();
  action();
});

// With many classes a box finds one by a part of its name.
const finder = byId("find-class");
if (finder) {
  finder.hidden = false;
  finder.addEventListener("input", () => {
    const part = finder.value.trim().toLowerCase();
    for (const button of byId("choices").querySelectorAll(".review-classes button")) {
      button.hidden = !button.value.toLowerCase().includes(part);
    }
  });
  // Enter would submit the form with its first button.
  finder.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const found = [...byId("choices").querySelectorAll(".review-classes button:not([hidden])")];
    if (finder.value && found.length === 1) found[0].click();
  });
}

byId("help").hidden = false;
show(current);
