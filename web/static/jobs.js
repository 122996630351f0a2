// While a job of the list is unfinished, brings the list up to date every two seconds.
const list = () => document.getElementById("jobs");

async function refresh() {
  if (!list()?.querySelector("[data-final=no]")) return;
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    if (!list().contains(document.activeElement)) list().replaceWith(page.getElementById("jobs"));
  } catch {
    // The server is away: the next round tries again.
  }
  setTimeout(refresh, 2000);
}

setTimeout(refresh, 2000);
