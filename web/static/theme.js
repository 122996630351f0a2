// The theme: light, dark or that of the system. It is stored in this browser; Bootstrap reads it from an attribute. This
// script is loaded before the page is drawn, so that no page flashes in the other theme; modules would run too late.
(() => {
  const CHOICES = { auto: "Auto", light: "Light", dark: "Dark" };
  const NEXT = { auto: "light", light: "dark", dark: "auto" };
  const KEY = "tenfold-theme";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      const choice = localStorage.getItem(KEY);
      return choice in CHOICES ? choice : "auto";
    } catch {
      return "auto"; // this browser stores nothing
    }
  }

  let choice = stored();

  function apply() {
    const theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    document.documentElement.setAttribute("data-bs-theme", theme);
    const button = document.getElementById("theme");
    if (!button) return;
    button.hidden = false;
    document.getElementById("theme-name").textContent = CHOICES[choice];
    button.setAttribute("aria-label", `Theme: ${CHOICES[choice]}. Change to ${CHOICES[NEXT[choice]]}.`);
  }

  function change() {
    choice = NEXT[choice];
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // Then it applies to this page only.
    }
    apply();
  }

  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    document.getElementById("theme").addEventListener("click", change);
  });
})();
