// Sends each `<form data-upload="…API call…" data-then="…page with JOB for the job's ID…">`: with drag and drop, also of
// folders, progress, speed, remaining time and cancel. Errors come from the API's problem document.
const UNITS = ["bytes", "KB", "MB", "GB", "TB"];

const LISTED = 100;

for (const form of document.querySelectorAll("form[data-upload]")) start(form);

function start(form) {
  const part = (name) => form.querySelector(`[data-upload-${name}]`);
  const input = part("zone").querySelector("input[type=file][name]");
  const folder = part("folder")?.querySelector("input");
  let chosen = []; // { file, name }
  let current = null;

  const showError = (text) => {
    part("errors").textContent = text;
    part("errors").hidden = !text;
    if (text) part("errors").scrollIntoView({ block: "nearest" });
  };

  function choose(files) {
    chosen = input.multiple ? files : files.slice(0, 1);
    showError("");
    const bytes = chosen.reduce((sum, { file }) => sum + file.size, 0);
    part("chosen").hidden = !chosen.length;
    part("total").textContent = `${chosen.length.toLocaleString("en")} file${chosen.length === 1 ? "" : "s"}, ${size(bytes)}`;
    part("list").replaceChildren(...chosen.slice(0, LISTED).map(item), ...more(chosen.length - LISTED));
    if (chosen.length > Number(form.dataset.maxFiles || Infinity)) {
      showError(`${chosen.length.toLocaleString("en")} files are too many for one upload. Put them into a zip and upload that.`);
    } else if (bytes > Number(form.dataset.maxBytes || Infinity)) {
      showError(`${size(bytes)} is too large. The maximum is ${size(Number(form.dataset.maxBytes))}.`);
    }
    return !part("errors").textContent;
  }

  function send() {
    const body = new FormData();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && value.trim()) body.append(name, value);
    for (const { file, name } of chosen) body.append(input.name, file, name);
    for (const other of form.querySelectorAll("input[type=file][name]"))
      if (other !== input) for (const file of other.files) body.append(other.name, file);
    const request = (current = new XMLHttpRequest());
    const progress = part("progress").querySelector("progress");
    const started = performance.now();
    let announced = 0;
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      const speed = loaded / Math.max((performance.now() - started) / 1000, 0.001);
      const share = total ? loaded / total : 0;
      progress.value = share;
      const left = share < 1 ? `, ${duration((total - loaded) / speed)} left` : "";
      part("status").textContent = share < 1 ? `${size(loaded)} of ${size(total)} at ${size(speed)}/s${left}` : "Sent. The server is checking the files …";
      const quarter = Math.floor(share * 4) * 25;
      if (quarter > announced) part("announced").textContent = `${(announced = quarter)} % sent`;
    });
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      if (request.status < 300 && answer.id) location.assign(form.dataset.then.replace("JOB", answer.id));
      else stop(reasons(answer) ?? `The server answered with status ${request.status}.`);
    });
    request.addEventListener("error", () => stop("The connection to the server was lost. Your files are still selected: try again."));
    request.addEventListener("abort", () => stop(""));
    request.open("POST", form.dataset.upload);
    request.setRequestHeader("Accept", "application/json");
    part("progress").hidden = false;
    // The submit button may be far below, and is disabled now.
    part("progress").scrollIntoView({ block: "center" });
    part("cancel").focus({ preventScroll: true });
    progress.value = 0;
    part("status").textContent = "Connecting …";
    busy(true);
    request.send(body);
  }

  function stop(text) {
    current = null;
    part("progress").hidden = true;
    busy(false);
    showError(text && `Not submitted: ${text}`);
  }

  function busy(is) {
    for (const button of form.querySelectorAll("button:not([data-upload-cancel]), input, select")) button.disabled = is;
  }

  const ofInput = (files) => [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
  input.addEventListener("change", () => choose(ofInput(input.files)));
  folder?.addEventListener("change", () => choose(ofInput(folder.files)));
  part("folder")?.querySelector("button").addEventListener("click", () => folder.click());
  part("clear").addEventListener("click", () => {
    input.value = "";
    choose([]);
    input.focus();
  });
  part("cancel").addEventListener("click", () => current?.abort());
  form.addEventListener("submit", (event) => {
    // Without files the server reports what is missing, or uses the server directory from another field.
    if (!chosen.length) return;
    event.preventDefault();
    if (!current && choose(chosen)) send();
  });

  // After the browser's back button the form is as it was before.
  addEventListener("pageshow", (event) => event.persisted && stop(""));
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", async (event) => {
    document.body.classList.remove("dropping");
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (current) return;
    const files = await droppedFiles(event.dataTransfer);
    input.value = "";
    choose(files);
  });
  for (const name of ["hint", "folder"]) if (part(name)) part(name).hidden = false;
}

function item({ file, name }) {
  const line = document.createElement("li");
  line.textContent = `${name}, ${size(file.size)}`;
  return line;
}

function more(count) {
  if (count <= 0) return [];
  const line = document.createElement("li");
  line.textContent = `and ${count.toLocaleString("en")} more`;
  return [line];
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function reasons(problem) {
  return problem.errors?.map((error) => error.message).join(" ") || problem.detail;
}

// The dropped files as `[{ file, name }]`; the names of files in folders are their paths.
async function droppedFiles(transfer) {
  // Read all entries before the first `await`: the browser discards them then.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, name: file.name }));
  const found = [];
  for (const entry of entries) await collect(entry, found);
  return found;
}

async function collect(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, name: entry.fullPath.replace(/^\//, "") });
  } else {
    const reader = entry.createReader();
    // A reader returns some entries at a time, and none at the end.
    for (let some; (some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length; ) {
      for (const inside of some) await collect(inside, found);
    }
  }
}

function size(bytes) {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log(bytes) / Math.log(1000)), UNITS.length - 1);
  const value = bytes / 1000 ** power;
  return `${power && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

function duration(seconds) {
  if (!Number.isFinite(seconds)) return "some time";
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.ceil((seconds % 3600) / 60)} min`;
}
