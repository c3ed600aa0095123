// The last translations, kept in this browser; a click translates one again.

import { choose } from "./languages.js";
import { read, write } from "./storage.js";
import { setText, shownTranslation } from "./translation.js";
import { label, number, say } from "./words.js";

const LIMIT = 50;
const PAUSE = 1500; // milliseconds without a new translation: the text is then one that was meant
const dialog = document.getElementById("history");
const list = document.getElementById("history-entries");

let entries = read("history", []); // [{source, target, text, translation}], newest first
let pause = 0;

function keep(changed) {
  entries = changed;
  write("history", entries);
  showEntries();
}

function keepShown() {
  const shown = shownTranslation();
  if (!shown) return;
  const { source, target, sentences } = shown;
  const entry = { source, target, text: sentences.source, translation: sentences.text() };
  // What one goes on typing is one entry, not one for each pause.
  const others = entries.filter(({ text }, place) => text !== entry.text && !(place === 0 && entry.text.startsWith(text)));
  keep([entry, ...others].slice(0, LIMIT));
}

function showEntries() {
  document.getElementById("history-empty").hidden = entries.length > 0;
  document.getElementById("history-clear").hidden = entries.length === 0;
  document.querySelector("[data-words=historyNote]").textContent = say("historyNote", { limit: number(LIMIT) });
  list.replaceChildren(...entries.map(row));
}

function row(entry) {
  const line = document.createElement("li");
  const button = Object.assign(document.createElement("button"), { type: "button", className: "entry-button" });
  label(button, say("useAgain", { text: entry.text }));
  const languageOf = { en: "en", zh: "zh-Hans" };
  button.append(
    Object.assign(document.createElement("span"), { textContent: entry.text, lang: languageOf[entry.source] }),
    Object.assign(document.createElement("span"), { textContent: entry.translation, lang: languageOf[entry.target] }),
  );
  button.addEventListener("click", () => {
    dialog.close();
    choose(entry.source);
    setText(entry.text);
  });
  line.append(button);
  return line;
}

document.getElementById("history-clear").addEventListener("click", () => keep([]));
document.addEventListener("translating", () => clearTimeout(pause));
document.addEventListener("translated", () => {
  clearTimeout(pause);
  pause = setTimeout(keepShown, PAUSE);
});
document.addEventListener("words", showEntries);
