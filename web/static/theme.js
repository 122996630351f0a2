// Light, dark, or as the system has it: remembered in this browser, and read by Bootstrap from an attribute. Loaded
// before the page is drawn, so that it never flashes in the other theme; no module, since those come later.
(() => {
  const CHOICES = { auto: "Auto", light: "Light", dark: "Dark" };
  const FOLLOWING = { auto: "light", light: "dark", dark: "auto" };
  const KEY = "tenfold-theme";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function remembered() {
    try {
      const choice = localStorage.getItem(KEY);
      return choice in CHOICES ? choice : "auto";
    } catch {
      return "auto"; // this browser keeps nothing
    }
  }

  let choice = remembered();

  function apply() {
    const theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    document.documentElement.setAttribute("data-bs-theme", theme);
    const button = document.getElementById("theme");
    if (!button) return;
    button.hidden = false;
    document.getElementById("theme-name").textContent = CHOICES[choice];
    button.setAttribute("aria-label", `Theme: ${CHOICES[choice]}. Change to ${CHOICES[FOLLOWING[choice]]}.`);
  }

  function change() {
    choice = FOLLOWING[choice];
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // Then it holds for this page only.
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
