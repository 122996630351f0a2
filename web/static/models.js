// Looks for models while a person types: fetches this page with the search, and takes the choices out of it.
const PAUSE_MS = 250;
const search = document.getElementById("find-models");
const choices = document.getElementById("model-choices");
const controls = () => [...choices.querySelectorAll("[name=model]")];
const chosen = () => controls().filter((control) => control.type !== "checkbox" || control.checked).map((control) => control.value);
let timer = null;
let asked = 0;

function put(shown, fresh) {
  if (shown.innerHTML === fresh.innerHTML) return;
  const focused = shown.contains(document.activeElement) ? document.activeElement.id : null;
  shown.replaceChildren(...fresh.childNodes);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

async function find() {
  clearTimeout(timer);
  const mine = ++asked;
  const sent = chosen().join();
  choices.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(`${location.pathname}?${new URLSearchParams({ models: search.value, model: sent })}`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!response.ok || mine !== asked) return;
    if (chosen().join() !== sent) return void find();
    for (const id of ["model-choices", "models-found"]) put(document.getElementById(id), page.getElementById(id));
  } catch {
    // The server is away: what is offered stays.
  } finally {
    if (mine === asked) choices.removeAttribute("aria-busy");
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
