// Keeps the page of a running job up to date: one long poll at a time, and after each change the live parts of the page
// are fetched as HTML and replaced.
import { fetchPage, replaceElement } from "./page.js";

const { href, live } = document.getElementById("job").dataset;
const PAUSE_MS = 700;
const RETRY_MS = 3000;
// Screen readers announce progress no more often than this.
const ANNOUNCE_MS = 10_000;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const showOffline = (offline) => { document.getElementById("offline").hidden = !offline; };
const hasSelection = (part) => !getSelection().isCollapsed && getSelection().containsNode(part, true);

function show(page) {
  for (const fresh of page.querySelectorAll("[data-part]")) {
    const shown = document.getElementById(fresh.id);
    if (shown && !hasSelection(shown)) replacePart(shown, fresh);
    if (fresh.dataset.status) announce(fresh.dataset);
  }
}

// Opened details stay open, and logs keep their scroll position.
function replacePart(shown, fresh) {
  const details = (part) => [part, ...part.querySelectorAll("*")].filter((element) => element.matches("details[data-keep]"));
  const open = details(shown).map((element) => element.open);
  details(fresh).forEach((element, index) => { element.open = open[index] ?? false; });
  const positions = logs(shown);
  replaceElement(shown, fresh);
  if (!fresh.isConnected) return;
  logs(fresh).forEach(({ log }, index) => {
    const position = positions[index] ?? { atEnd: true };
    log.scrollTop = position.atEnd ? log.scrollHeight : position.top;
  });
}

function logs(part) {
  return [...part.querySelectorAll(".log")].map((log) => ({
    log,
    top: log.scrollTop,
    atEnd: log.scrollTop + log.clientHeight >= log.scrollHeight - 4,
  }));
}

let announcedAt = 0;

function announce({ status, title }) {
  document.title = `${title} – Tenfold`;
  const announced = document.getElementById("status");
  if (announced.textContent === status || Date.now() - announcedAt < ANNOUNCE_MS) return;
  announcedAt = Date.now();
  announced.textContent = status;
}

async function follow() {
  let etag = null;
  for (;;) {
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const response = await fetch(etag ? `${href}?wait=20` : href, { headers, cache: "no-store" });
      if (response.status === 404) return location.assign(document.documentElement.dataset.start);
      if (!response.ok && response.status !== 304) throw new Error(response.statusText);
      const queued = document.getElementById("state").textContent.trim() === "queued";
      if (response.status === 200) {
        const job = await response.json();
        etag = response.headers.get("ETag");
        if (job.finished_at) return location.reload();
      }
      // A queued job does not change when its position in the queue does.
      if (response.status === 200 || queued) {
        const part = await fetchPage(live, { cache: "no-store" });
        if (!part.response.ok) throw new Error(part.response.statusText);
        show(part.page);
      }
      showOffline(false);
      await pause(PAUSE_MS);
    } catch {
      showOffline(true);
      await pause(RETRY_MS);
    }
  }
}

// An opened log is scrolled to its end.
document.addEventListener("toggle", ({ target }) => {
  for (const { log } of logs(target)) log.scrollTop = log.scrollHeight;
}, true);

follow();
