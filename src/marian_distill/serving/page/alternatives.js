// Other translations of one sentence of the output, to choose from.

import { termsIn } from "./glossary.js";
import { ServerError, translate } from "./server.js";
import { replaceSentence, shownTranslation } from "./translation.js";
import { label, number, say } from "./words.js";

const COUNT = 4;
const panel = document.getElementById("alternatives");
const output = document.getElementById("output");
const opener = document.getElementById("open-alternatives");

let index = 0;
let running = null;

export const alternativesAreOpen = () => !panel.hidden;

export function closeAlternatives({ focus = false } = {}) {
  running?.abort();
  panel.hidden = true;
  panel.replaceChildren();
  opener.setAttribute("aria-expanded", "false");
  output.querySelector(".chosen")?.classList.remove("chosen");
  if (focus) opener.focus();
}

export function toggleAlternatives() {
  if (alternativesAreOpen()) closeAlternatives({ focus: true });
  else if (shownTranslation()) openAlternatives(0);
}

/** Asks for the alternatives of a sentence and lists them; `focus`: what in the list to move to, null to stay. */
async function openAlternatives(sentenceIndex, focus = "input:checked") {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  index = sentenceIndex;
  const shown = shownTranslation();
  const sentence = shown.sentences.list[index];
  const body = {
    text: sentence.source,
    source: shown.source,
    target: shown.target,
    alternatives: COUNT,
    glossary: termsIn(sentence.source, shown.source),
  };
  try {
    const answer = (await translate(body, signal)).translations[0];
    if (signal.aborted) return;
    showList(sentence, answer);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof ServerError)) throw error;
    showMessage(sentence, say(error.name, error));
  }
  if (!focus) return;
  const found = [focus, "input:checked", ".close"].map((selector) => panel.querySelector(selector));
  found.find((element) => element && !element.disabled).focus();
}

function frame(sentence) {
  const heading = document.createElement("div");
  heading.className = "alternatives-top";
  const title = document.createElement("p");
  title.id = "alternatives-title";
  title.textContent = say("alternativesOf", { sentence: sentence.source });
  heading.append(title, ...steps(), iconButton("close", "×", () => closeAlternatives({ focus: true })));
  panel.replaceChildren(heading);
  panel.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  output.querySelector(".chosen")?.classList.remove("chosen");
  if (shownTranslation().sentences.list.length > 1) {
    output.querySelector(`[data-index="${index}"]`).classList.add("chosen");
  }
}

function steps() {
  const total = shownTranslation().sentences.list.length;
  if (total === 1) return [];
  const previous = iconButton("previous", "‹", () => openAlternatives(index - 1, ".previous"));
  const next = iconButton("next", "›", () => openAlternatives(index + 1, ".next"));
  previous.disabled = index === 0;
  next.disabled = index === total - 1;
  const place = document.createElement("span");
  place.className = "number";
  place.textContent = say("sentenceOf", { number: number(index + 1), total: number(total) });
  return [previous, place, next];
}

function iconButton(name, sign, action) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: sign });
  button.className = `quiet icon ${name}`;
  label(button, say(name));
  button.addEventListener("click", action);
  return button;
}

function showMessage(sentence, text) {
  frame(sentence);
  panel.append(Object.assign(document.createElement("p"), { className: "note", textContent: text }));
}

function showList(sentence, { text, alternatives }) {
  const choices = new Map([[sentence.text, null], [text, null]]);
  for (const alternative of alternatives) choices.set(alternative.text, alternative.score);
  if (choices.size === 1) return showMessage(sentence, say("noAlternatives"));
  frame(sentence);
  const group = document.createElement("div");
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-labelledby", "alternatives-title");
  group.append(...[...choices].map(([choice, score]) => row(choice, score, choice === sentence.text)));
  panel.append(group);
}

function row(text, score, isChosen) {
  const line = document.createElement("label");
  const radio = Object.assign(document.createElement("input"), { type: "radio", name: "alternative", checked: isChosen });
  radio.addEventListener("change", () => replaceSentence(index, text));
  const words = Object.assign(document.createElement("span"), { textContent: text, lang: output.lang });
  line.append(radio, words);
  if (score !== null) {
    const probability = Math.exp(score).toLocaleString("en", { style: "percent" });
    const title = say("probability");
    line.append(Object.assign(document.createElement("span"), { className: "number", textContent: probability, title }));
  }
  return line;
}

output.addEventListener("click", (event) => {
  const span = event.target.closest(".sentence");
  if (span && getSelection().isCollapsed) openAlternatives(Number(span.dataset.index), null);
});
opener.addEventListener("click", toggleAlternatives);
document.addEventListener("translating", () => closeAlternatives());
document.addEventListener("words", () => closeAlternatives());
