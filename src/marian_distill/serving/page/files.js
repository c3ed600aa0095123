// Translating a file: chosen or dropped, sent, translated, offered for download.

import { languagePair } from "./languages.js";
import { ServerError, translateFile } from "./server.js";
import { number, say } from "./words.js";

const input = document.getElementById("file");
const job = document.getElementById("file-job");
const state = document.getElementById("file-state");
const progress = document.getElementById("file-progress");
const cancel = document.getElementById("file-cancel");
const download = document.getElementById("file-download");
const card = document.getElementById("card");

let kinds = input.accept.split(",");
let running = null;
let clock = 0;
let told = () => ""; // what the state says, in the language of the interface

/** File kinds as the server names them: `.txt` or `txt`. */
export function setKinds(formats) {
  kinds = formats.map((format) => `.${format.replace(/^\./, "")}`);
  input.accept = kinds.join(",");
}

async function start(file) {
  running?.abort();
  clearInterval(clock);
  URL.revokeObjectURL(download.href);
  document.getElementById("file-name").textContent = file.name;
  job.hidden = false;
  job.classList.remove("failed");
  download.hidden = true;
  if (!kinds.some((kind) => file.name.toLowerCase().endsWith(kind))) {
    return end(() => say("fileKind", { name: file.name, kinds: kinds.join(" ") }), true);
  }
  running = new AbortController();
  const { signal } = running;
  const begun = performance.now();
  const seconds = (digits) => number((performance.now() - begun) / 1000, digits);
  progress.hidden = cancel.hidden = false;
  progress.removeAttribute("value");
  tell(() => say("fileTranslating", { time: seconds(0) }));
  clock = setInterval(() => tell(told), 1000);
  try {
    const { name, text } = await translateFile(file, languagePair(), signal, ({ share }) => (progress.value = share));
    download.href = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
    download.download = name;
    download.hidden = false;
    const time = seconds(1);
    end(() => say("fileDone", { time }), false);
  } catch (error) {
    if (signal !== running?.signal) return; // another file took its place
    if (error.name === "AbortError") return end(() => say("fileCancelled"), true);
    if (!(error instanceof ServerError)) throw error;
    end(() => error.detail || say(error.name, error), true);
  }
}

function tell(words) {
  told = words;
  state.textContent = told();
  download.textContent = say("download", { name: download.download });
}

function end(words, isFailed) {
  clearInterval(clock);
  progress.hidden = cancel.hidden = true;
  job.classList.toggle("failed", isFailed);
  tell(words);
  document.getElementById("announcer").textContent = words(); // not each second that passes
}

export const chooseFile = () => input.click();

document.getElementById("choose-file").addEventListener("click", chooseFile);
cancel.addEventListener("click", () => running.abort());
input.addEventListener("change", () => {
  if (input.files.length) start(input.files[0]);
  input.value = ""; // so that the same file can be chosen again
});
document.addEventListener("words", () => tell(told));

// Dropped anywhere on the page

const holdsFile = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!holdsFile(event)) return;
  event.preventDefault();
  card.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) card.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  if (!holdsFile(event)) return;
  event.preventDefault();
  card.classList.remove("dropping");
  if (event.dataTransfer.files.length) start(event.dataTransfer.files[0]);
});
