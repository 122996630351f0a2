// Shows a running job's progress: one held-open poll at a time, answered when something has changed.
const href = document.getElementById("job").dataset.href;
const shown = Number(document.getElementById("done").textContent.replaceAll(",", ""));
const byId = (id) => document.getElementById(id);
const figure = (value, digits = 4) => (value === null || value === undefined ? "–" : value.toFixed(digits));

function show(job) {
  const { fraction, done, detail } = job.progress;
  if (document.getElementById("trials") && done !== shown) location.reload();
  byId("bar").value = fraction;
  byId("done").textContent = done.toLocaleString("en");
  for (const badge of document.querySelectorAll("[data-job=state]")) badge.textContent = job.state;
  if (detail.loss !== undefined) {
    byId("live").textContent = `– epoch ${detail.epoch}: loss ${figure(detail.loss)}, accuracy ${figure(detail.accuracy)}`;
  }
  const rows = byId("epochs")?.tBodies[0];
  for (const epoch of rows ? (detail.history ?? []).slice(rows.rows.length) : []) {
    const row = rows.insertRow();
    const cells = [epoch.epoch, figure(epoch.loss), figure(epoch.accuracy), figure(epoch.val_loss), figure(epoch.val_accuracy)];
    for (const cell of cells) row.insertCell().textContent = cell;
  }
}

async function follow() {
  let etag = null;
  for (;;) {
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const response = await fetch(etag ? `${href}?wait=20` : href, { headers, cache: "no-store" });
      if (response.status === 200) {
        const job = await response.json();
        etag = response.headers.get("ETag");
        if (job.finished_at) return location.reload();
        show(job);
      } else if (response.status === 404) {
        return location.assign("/");
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
    } catch {
      byId("live").textContent = "– the server does not answer, trying again";
      await new Promise((resolve) => setTimeout(resolve, 3000));
    }
  }
}

follow();
