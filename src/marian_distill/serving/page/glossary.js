// Terms that are translated as the reader says: pairs of English and Chinese, kept in this browser.

import { read, write } from "./storage.js";
import { label, say } from "./words.js";

const list = document.getElementById("glossary-terms");
const form = document.getElementById("glossary-form");
const count = document.getElementById("glossary-count");

let terms = read("glossary", []); // [{en, zh}]

/** The part of the glossary that a text needs: source term → translation; of both languages where it is not known. */
export function termsIn(text, source) {
  const lower = text.toLowerCase();
  const found = {};
  for (const { en, zh } of terms) {
    if (source !== "zh" && lower.includes(en.toLowerCase())) found[en] = zh;
    if (source !== "en" && lower.includes(zh.toLowerCase())) found[zh] = en;
  }
  return found;
}

function keep(changed) {
  terms = changed;
  write("glossary", terms);
  showTerms();
  document.dispatchEvent(new Event("glossary"));
}

function showTerms() {
  count.hidden = terms.length === 0;
  count.textContent = terms.length;
  document.getElementById("glossary-empty").hidden = terms.length > 0;
  list.replaceChildren(...terms.map(row));
}

function row(term) {
  const line = document.createElement("li");
  line.className = "term";
  const english = Object.assign(document.createElement("span"), { lang: "en", textContent: term.en });
  const chinese = Object.assign(document.createElement("span"), { lang: "zh-Hans", textContent: term.zh });
  const remove = Object.assign(document.createElement("button"), { type: "button", className: "quiet icon", textContent: "×" });
  label(remove, say("remove", { term: term.en }));
  remove.addEventListener("click", () => {
    keep(terms.filter((other) => other !== term));
    form.elements.en.focus();
  });
  line.append(english, chinese, remove);
  return line;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const [en, zh] = [form.elements.en.value.trim(), form.elements.zh.value.trim()];
  if (!en || !zh) return;
  keep([{ en, zh }, ...terms.filter((term) => term.en.toLowerCase() !== en.toLowerCase())]);
  form.reset();
  form.elements.en.focus();
});
document.addEventListener("words", showTerms);
