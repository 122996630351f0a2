// Refreshes the sections marked `data-live` every two seconds, unless the page is hidden.
import { fetchPage, replaceElement } from "./page.js";

const EVERY_MS = 2000;
const offline = document.getElementById("offline");

async function refresh() {
  try {
    if (document.hidden) return;
    const { response, page } = await fetchPage(location.href, { cache: "no-store" });
    if (!response.ok) throw new Error(response.statusText);
    for (const section of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(section.id);
      if (fresh) replaceElement(section, fresh);
    }
    offline.hidden = true;
  } catch {
    offline.hidden = false;
  } finally {
    schedule();
  }
}

function schedule() {
  if (document.querySelector("[data-live]")) setTimeout(refresh, EVERY_MS);
}

schedule();
