// Keeps a running job's page up to date: one held-open poll at a time, and when something has changed, the parts that show
// it are fetched, as the server renders them, and swapped in.
const { href, live } = document.getElementById("job").dataset;
const PAUSE_MS = 700;
const TROUBLE_MS = 3000;
// A screen reader is told of progress no oftener than this.
const SAY_MS = 10_000;
const FOCUSABLE = "a[href], button, summary, [tabindex]";

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const trouble = (there) => { document.getElementById("trouble").hidden = !there; };
const isReadInHere = (part) => !getSelection().isCollapsed && getSelection().containsNode(part, true);

function show(text) {
  const parts = new DOMParser().parseFromString(text, "text/html").querySelectorAll("[data-part]");
  for (const next of parts) {
    const shown = document.getElementById(next.id);
    if (shown && !isReadInHere(shown)) swap(shown, next);
    if (next.dataset.said) say(next.dataset);
  }
}

function swap(shown, next) {
  const folds = (part) => [part, ...part.querySelectorAll("*")].filter((element) => element.matches("details[data-keep]"));
  const open = folds(shown).map((details) => details.open);
  folds(next).forEach((details, index) => { details.open = open[index] ?? false; });
  if (shown.isEqualNode(next)) return;
  const focused = [...shown.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
  const places = scrolled(shown);
  shown.replaceWith(next);
  scrolled(next).forEach(({ element }, index) => {
    const place = places[index] ?? { atEnd: true };
    element.scrollTop = place.atEnd ? element.scrollHeight : place.top;
  });
  [...next.querySelectorAll(FOCUSABLE)][focused]?.focus({ preventScroll: true });
}

function scrolled(part) {
  return [...part.querySelectorAll(".log")].map((element) => ({
    element,
    top: element.scrollTop,
    atEnd: element.scrollTop + element.clientHeight >= element.scrollHeight - 4,
  }));
}

let saidAt = 0;

function say({ said, title }) {
  document.title = `${title} – Tenfold`;
  const status = document.getElementById("said");
  if (status.textContent === said || Date.now() - saidAt < SAY_MS) return;
  saidAt = Date.now();
  status.textContent = said;
}

async function follow() {
  let etag = null;
  for (;;) {
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const response = await fetch(etag ? `${href}?wait=20` : href, { headers, cache: "no-store" });
      if (response.status === 404) return location.assign(document.documentElement.dataset.start);
      if (!response.ok && response.status !== 304) throw new Error(response.statusText);
      const inLine = document.getElementById("state").textContent.trim() === "queued";
      if (response.status === 200) {
        const job = await response.json();
        etag = response.headers.get("ETag");
        if (job.finished_at) return location.reload();
      }
      // A job in line does not change while those before it end, but its place does.
      if (response.status === 200 || inLine) {
        const part = await fetch(live, { cache: "no-store" });
        if (!part.ok) throw new Error(part.statusText);
        show(await part.text());
      }
      trouble(false);
      await pause(PAUSE_MS);
    } catch {
      trouble(true);
      await pause(TROUBLE_MS);
    }
  }
}

// A log that is opened is read from its end.
document.addEventListener("toggle", ({ target }) => {
  for (const { element } of scrolled(target)) element.scrollTop = element.scrollHeight;
}, true);

follow();
