// Makes the review quick: one key an image, the next one shown at once, and what was said sent in the background.
const root = document.getElementById("review");
const byId = (id) => document.getElementById(id);
const { href } = root.dataset;
const total = Number(root.dataset.total);
let corrected = Number(root.dataset.corrected);
let current = Number(root.dataset.place);

const PAGE = 100; // items asked for at a time
const AHEAD = 8; // images fetched before they are shown
const RETRY_MS = 2000;
const FEW_PIXELS = 64; // in a row of an image whose pixels are shown as they are

const percent = (share) => `${(share * 100).toFixed(1)} %`;
const number = (count) => count.toLocaleString("en");
const named = (label) => (label === null ? "none of these" : label);

// --- the items, a page at a time ---------------------------------------------------------------------------------

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

async function itemAt(place) {
  if (place < 0 || place >= total) return null;
  const start = place - (place % PAGE);
  return (await loadPage(start))[place - start];
}

const fetched = new Map(); // images on their way or in the browser's memory
function prefetch(item) {
  for (const source of [item?.links.picture, item?.links.seen]) {
    if (!source || fetched.has(source)) continue;
    const image = new Image();
    image.src = source;
    fetched.set(source, image);
    if (fetched.size > 8 * AHEAD) fetched.delete(fetched.keys().next().value);
  }
}

async function nextOpen(place) {
  for (let step = 1; step < total; step += 1) {
    const candidate = (place + step) % total;
    if (!(await itemAt(candidate)).correction) return candidate;
  }
  return null;
}

// --- showing one -------------------------------------------------------------------------------------------------

let asked = 0; // of several moves in a row only the last is shown

async function show(place, said = "") {
  const mine = (asked += 1);
  let item;
  try {
    item = await itemAt(place);
  } catch (error) {
    trouble(`The next images could not be loaded: ${error.message}`);
    return;
  }
  if (mine !== asked || !item) return;
  current = place;
  picture(byId("original"), item.links.picture);
  picture(byId("seen"), item.links.seen);
  byId("no-picture").hidden = Boolean(item.links.picture);
  byId("name").textContent = item.name + (item.truth === null ? "" : `, labelled ${item.truth}`);
  byId("answer").textContent = `${item.label}, ${percent(item.confidence)} sure`;
  const other = item.runner_up === null ? "" : `, or ${item.runner_up} (${percent(item.runner_up_confidence)})`;
  byId("runner-up").textContent = other;
  byId("reason").textContent = item.reason;
  byId("confirm").value = item.label;
  byId("confirm-label").textContent = item.label;
  byId("place").textContent = `${number(place + 1)} of ${number(total)}`;
  byId("previous").classList.toggle("disabled", place === 0);
  byId("next").classList.toggle("disabled", place + 1 === total);
  for (const button of byId("choices").querySelectorAll(".review-classes button")) {
    button.classList.toggle("predicted", button.value === item.label);
    button.classList.toggle("runner-up", button.value === item.runner_up);
  }
  showSaid(item);
  history.replaceState(null, "", `?place=${place}`);
  const already = item.correction ? ` You said ${named(item.correction.label)}.` : "";
  byId("announcement").textContent =
    `${said} ${number(place + 1)} of ${number(total)}: ${item.label}, ${percent(item.confidence)} sure${other}.${already}`.trim();
  await showStrip(place, mine);
  for (let ahead = 1; ahead <= AHEAD; ahead += 1) itemAt(place + ahead).then(prefetch, () => {});
}

// The last image is not shown beside the next one's answer while that one is on its way.
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

function showSaid(item) {
  const said = byId("said");
  said.textContent = item.correction ? "You said: " : "";
  if (item.correction) said.append(Object.assign(document.createElement("strong"), { textContent: named(item.correction.label) }));
  for (const button of byId("choices").querySelectorAll(".review-classes button")) {
    button.classList.toggle("said", item.correction?.label === button.value);
  }
  byId("none").classList.toggle("active", item.correction?.label === null);
}

async function showStrip(place, mine) {
  const around = Math.max(2, Math.min(5, Math.floor(byId("choices").clientWidth / 2 / 60) - 1));
  const first = Math.max(0, Math.min(place - around, total - 2 * around - 1));
  const places = Array.from({ length: Math.min(2 * around + 1, total) }, (_, index) => first + index);
  const items = await Promise.all(places.map(itemAt));
  if (mine !== asked) return;
  byId("strip").replaceChildren(...items.map(thumbnail));
  byId("strip").hidden = false;
}

function thumbnail(item) {
  const button = document.createElement("button");
  button.type = "button";
  const text = item.correction ? named(item.correction.label) : item.label;
  button.setAttribute("aria-label", `${item.place + 1}: ${item.label}${item.correction ? `, you said ${text}` : ""}`);
  if (item.place === current) button.setAttribute("aria-current", "true");
  if (item.links.seen) button.append(Object.assign(new Image(28, 28), { src: item.links.seen, alt: "" }));
  const caption = document.createElement("span");
  caption.textContent = item.correction ? `${item.correction.label ?? "–"} ✓` : item.label;
  caption.classList.toggle("said", Boolean(item.correction));
  button.append(caption);
  button.addEventListener("click", () => move(item.place));
  const entry = document.createElement("li");
  entry.append(button);
  return entry;
}

function move(place) {
  if (place >= 0 && place < total) show(place);
}

// --- saying what it shows ------------------------------------------------------------------------------------------

const done = []; // what was said in this visit, for undoing: { item, before }

let saying = false; // until the next image is shown, no key is taken for it

async function say(label) {
  if (saying) return;
  saying = true;
  try {
    const item = await itemAt(current);
    done.push({ item, before: item.correction });
    change(item, { label });
    const next = await nextOpen(item.place);
    const said = `${item.label === label ? "Confirmed" : "Recorded"}: ${named(label)}.`;
    byId("finished").hidden = next !== null;
    await (next === null ? show(item.place, `${said} All are reviewed.`) : show(next, said));
  } catch (error) {
    trouble(`The next image could not be loaded: ${error.message}`);
  } finally {
    saying = false;
  }
}

async function undo() {
  const last = done.pop();
  const item = last?.item ?? (await itemAt(current));
  if (!last && !item.correction) {
    byId("announcement").textContent = "There is nothing to undo.";
    return;
  }
  change(item, last?.before ?? null);
  byId("finished").hidden = true;
  show(item.place, "Taken back.");
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
    if (byId("trouble").dataset.passing) byId("trouble").hidden = true;
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
        trouble(`${item.name} was not recorded: ${(await response.json()).detail}`);
        return;
      }
    } catch {
      // The server is away: the next round tries again.
    }
    trouble(`The server does not answer. ${unsent} of your answers wait here and are sent when it is back; keep this page open.`, true);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function trouble(text, passing = false) {
  byId("trouble").textContent = text;
  byId("trouble").dataset.passing = passing ? "yes" : "";
  byId("trouble").hidden = false;
}

addEventListener("beforeunload", (event) => {
  if (unsent) event.preventDefault();
});

// --- keys and buttons ----------------------------------------------------------------------------------------------

byId("choices").addEventListener("submit", (event) => {
  event.preventDefault();
  const button = event.submitter;
  if (button.name === "clear") undo();
  else say(button.name === "none" ? null : button.value);
});

// After a click or a touch, Enter is to confirm the next answer and not to press the same button again.
byId("choices").addEventListener("click", (event) => {
  if (event.detail) event.target.closest("button")?.blur();
});

for (const [id, step] of [["previous", -1], ["next", 1]]) {
  byId(id).addEventListener("click", (event) => {
    event.preventDefault();
    move(current + step);
  });
}

const answers = { Enter: () => say(byId("confirm").value), Delete: () => say(null), Backspace: undo };
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
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return null; // that one is pressed
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

byId("help").hidden = false;
show(current);
