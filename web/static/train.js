// Checks the form while it is filled in: fetches the page with these values, and takes the messages, the recipe's default
// values and the summary out of it.
import { fetchPage } from "./page.js";

const PAUSE_MS = 300;
const form = document.getElementById("train");
const inputs = () => form.querySelectorAll("input[name]:not([type=radio], [type=checkbox], [type=hidden]), select[name]");
let timer = null;
let asked = 0;

function showMessage(control, message) {
  const shown = document.getElementById(`${control.name}-error`);
  control.classList.toggle("is-invalid", Boolean(message));
  control.toggleAttribute("aria-invalid", false);
  if (message) control.setAttribute("aria-invalid", "true");
  if (shown.textContent !== message) shown.textContent = message;
}

function show(page) {
  for (const control of inputs()) {
    const fresh = page.getElementById(control.id);
    const message = control.validity.valid ? "" : control.validationMessage;
    showMessage(control, page.getElementById(`${control.name}-error`).textContent || message);
    if (control.placeholder !== undefined) control.placeholder = fresh.placeholder;
    const unchanged = control.options?.[0];
    if (unchanged?.value === "") unchanged.text = fresh.options[0].text;
  }
  const outcome = document.getElementById("outcome");
  const fresh = page.getElementById("outcome");
  if (outcome.innerHTML !== fresh.innerHTML) outcome.replaceChildren(...fresh.childNodes);
}

async function check() {
  const mine = ++asked;
  const given = [...new FormData(form)].filter(([name, value]) => value !== "" && !name.startsWith("csrf"));
  const outcome = document.getElementById("outcome");
  outcome.setAttribute("aria-busy", "true");
  try {
    const { response, page } = await fetchPage(`${location.pathname}?${new URLSearchParams([...given, ["check", ""]])}`);
    if (response.ok && mine === asked) show(page);
  } catch {
    // The server is unreachable: it checks the form when it is submitted.
  } finally {
    outcome.removeAttribute("aria-busy");
  }
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE_MS);
});
