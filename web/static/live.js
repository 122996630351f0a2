// Keeps the sections marked `data-live` up to date: fetches this page again and swaps those that have changed. What had
// the focus keeps it. Nothing is fetched while nobody looks.
const EVERY_MS = 2000;

function swap(old, fresh) {
  if (!fresh || old.innerHTML === fresh.innerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const href = focused?.getAttribute("href");
  old.replaceWith(fresh);
  if (href) [...fresh.querySelectorAll("a")].find((link) => link.getAttribute("href") === href)?.focus({ preventScroll: true });
}

async function refresh() {
  const away = document.getElementById("away");
  try {
    if (document.hidden) return;
    const response = await fetch(location.href, { cache: "no-store" });
    if (!response.ok) throw new Error(response.statusText);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const section of document.querySelectorAll("[data-live]")) swap(section, page.getElementById(section.id));
    if (away) away.hidden = true;
  } catch {
    if (away) away.hidden = false;
  } finally {
    if (document.querySelector("[data-live]")) setTimeout(refresh, EVERY_MS);
  }
}

if (document.querySelector("[data-live]")) setTimeout(refresh, EVERY_MS);
