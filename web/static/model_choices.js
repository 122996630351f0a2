// Searches models while the user types: fetches this page with the search, and takes the choices out of it.
import { fetchPage, replaceElement } from "./page.js";

const PAUSE_MS = 250;
const search = document.getElementById("find-models");
const choices = () => document.getElementById("model-choices");
const controls = () => [...choices().querySelectorAll("[name=model]")];
const chosen = () => controls().filter((control) => control.type !== "checkbox" || control.checked).map((control) => control.value);
let timer = null;
let asked = 0;

async function find() {
  clearTimeout(timer);
  const mine = ++asked;
  const sent = chosen().join();
  choices().setAttribute("aria-busy", "true");
  try {
    const query = new URLSearchParams({ models: search.value, model: sent });
    const { response, page } = await fetchPage(`${location.pathname}?${query}`);
    if (!response.ok || mine !== asked) return;
    if (chosen().join() !== sent) return void find();
    choices().removeAttribute("aria-busy");
    replaceElement(choices(), page.getElementById("model-choices"));
    // Its text only: screen readers announce changes within a status, not a new one.
    document.getElementById("models-found").textContent = page.getElementById("models-found").textContent;
  } catch {
    // The server is unreachable: the choices stay as they are.
  } finally {
    if (mine === asked) choices().removeAttribute("aria-busy");
  }
}

search?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(find, PAUSE_MS);
});
search?.form.addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
