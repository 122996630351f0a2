// Sends any `<form data-upload="…API call…" data-then="…page with JOB for the job's id…">`: by drag and drop, whole
// folders too, with progress, speed, remaining time and cancel. Errors are those of the API's problem document.
import { droppedFiles } from "./dropped.js";
import { duration, size } from "./units.js";

const LISTED = 100;

for (const form of document.querySelectorAll("form[data-upload]")) start(form);

function start(form) {
  const part = (name) => form.querySelector(`[data-upload-${name}]`);
  const input = part("zone").querySelector("input[type=file][name]");
  const folder = part("folder")?.querySelector("input");
  let chosen = []; // { file, name }
  let sending = null;

  const complain = (text) => {
    part("errors").textContent = text;
    part("errors").hidden = !text;
    if (text) part("errors").scrollIntoView({ block: "nearest" });
  };

  function choose(files) {
    chosen = input.multiple ? files : files.slice(0, 1);
    complain("");
    const bytes = chosen.reduce((sum, { file }) => sum + file.size, 0);
    part("chosen").hidden = !chosen.length;
    part("total").textContent = `${chosen.length.toLocaleString("en")} file${chosen.length === 1 ? "" : "s"}, ${size(bytes)}`;
    part("list").replaceChildren(...chosen.slice(0, LISTED).map(item), ...more(chosen.length - LISTED));
    if (chosen.length > Number(form.dataset.maxFiles || Infinity)) {
      complain(`${chosen.length.toLocaleString("en")} files are more than are taken at once. Pack them into one zip and choose that.`);
    } else if (bytes > Number(form.dataset.maxBytes || Infinity)) {
      complain(`${size(bytes)} are more than are taken at once: the most is ${size(Number(form.dataset.maxBytes))}.`);
    }
    return !part("errors").textContent;
  }

  function send() {
    const body = new FormData();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && value.trim()) body.append(name, value);
    for (const { file, name } of chosen) body.append(input.name, file, name);
    const request = (sending = new XMLHttpRequest());
    const progress = part("progress").querySelector("progress");
    const began = performance.now();
    let announced = 0;
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      const speed = loaded / Math.max((performance.now() - began) / 1000, 0.001);
      const share = total ? loaded / total : 0;
      progress.value = share;
      const left = share < 1 ? `, ${duration((total - loaded) / speed)} left` : "";
      part("said").textContent = share < 1 ? `${size(loaded)} of ${size(total)} at ${size(speed)}/s${left}` : "Sent. The server is checking it …";
      const tenth = Math.floor(share * 4) * 25;
      if (tenth > announced) part("announced").textContent = `${(announced = tenth)} % sent`;
    });
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      if (request.status < 300 && answer.id) location.assign(form.dataset.then.replace("JOB", answer.id));
      else stop(reasons(answer) ?? `The server answered with status ${request.status}.`);
    });
    request.addEventListener("error", () => stop("The connection to the server was lost. Your files are still chosen: try again."));
    request.addEventListener("abort", () => stop(""));
    request.open("POST", form.dataset.upload);
    request.setRequestHeader("Accept", "application/json");
    part("progress").hidden = false;
    // The button that began it may be far below, and can take no focus now.
    part("progress").scrollIntoView({ block: "center" });
    part("cancel").focus({ preventScroll: true });
    progress.value = 0;
    part("said").textContent = "Connecting …";
    busy(true);
    request.send(body);
  }

  function stop(text) {
    sending = null;
    part("progress").hidden = true;
    busy(false);
    complain(text && `Not submitted: ${text}`);
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
  part("cancel").addEventListener("click", () => sending?.abort());
  form.addEventListener("submit", (event) => {
    // Without files the server says what is missing, or takes what another field names.
    if (!chosen.length) return;
    event.preventDefault();
    if (!sending && choose(chosen)) send();
  });

  // Who comes back to this page finds the form as it was before.
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
    if (sending) return;
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
