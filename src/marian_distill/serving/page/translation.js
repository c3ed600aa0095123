// The two panes: text in, translation out, as one types. A request that a later one replaces is aborted.

import { termsIn } from "./glossary.js";
import { knownSource, languagePair, otherLanguage, showDetected, sourceLanguage } from "./languages.js";
import { showError, hideError } from "./errors.js";
import { Sentences } from "./sentences.js";
import { ServerError, stream } from "./server.js";
import { isTouched, number, say } from "./words.js";

const TYPING_PAUSE = 250; // milliseconds
const READING_PAUSE = 900; // before a screen reader is told of a translation, which may change while one types

const source = document.getElementById("source");
const output = document.getElementById("output");
const warnings = document.getElementById("warnings");
const working = document.getElementById("working");
const time = document.getElementById("time");
const announcer = document.getElementById("announcer");

let limit = -1; // characters; -1: none
let pause = 0;
let reading = 0;
let running = null; // the AbortController of the request under way
let shown = null; // {source, target, sentences, milliseconds}: what the right pane shows, or null

export const shownTranslation = () => shown;

export function setLimit(characters) {
  limit = characters;
  showCount();
}

function stop() {
  clearTimeout(pause);
  clearTimeout(reading);
  running?.abort();
  running = null;
  working.hidden = true;
  hideError();
}

/** After a change of the text: fits the pane to it, counts, and translates once typing rests. */
export function textChanged() {
  showCount();
  stop();
  if (!source.value.trim()) return showNothing();
  output.classList.add("stale");
  pause = setTimeout(translateNow, TYPING_PAUSE);
}

export function setText(text) {
  source.value = text;
  showCount();
  translateNow();
}

export async function translateNow() {
  stop();
  const text = source.value;
  if (!text.trim()) return showNothing();
  if (isTooLong()) {
    showNothing();
    return showError("tooLong", { over: number(text.length - limit), limit: number(limit) });
  }
  running = new AbortController();
  const { signal } = running;
  const translation = { sentences: new Sentences(text), warnings: new Set() };
  working.hidden = false;
  output.classList.add("stale");
  try {
    const body = { text, ...languagePair(), glossary: termsIn(text, knownSource()) };
    const done = await stream(body, signal, (event) => !signal.aborted && showSentence(translation, event));
    if (signal.aborted) return;
    running = null;
    working.hidden = true;
    finish(translation, done);
  } catch (error) {
    if (signal.aborted) return;
    stop();
    if (!(error instanceof ServerError)) throw error;
    showNothing();
    showError(error.name, error, translateNow);
  }
}

function showSentence(translation, event) {
  const { sentences } = translation;
  if (sentences.list.length === 0) {
    Object.assign(translation, { source: event.source, target: event.target });
    if (sourceLanguage() === "auto") showDetected(event.source);
    output.replaceChildren();
    output.classList.remove("stale");
    showWarnings(translation.warnings);
    shown = translation;
    document.dispatchEvent(new Event("translating"));
  }
  const sentence = sentences.add(event);
  const span = document.createElement("span");
  span.className = "sentence";
  span.dataset.index = sentences.list.length - 1;
  span.textContent = sentence.text;
  output.append(sentence.gap, span);
  for (const warning of event.warnings ?? []) translation.warnings.add(warning);
  if (translation.warnings.size) showWarnings(translation.warnings);
}

function finish(translation, { milliseconds, model }) {
  Object.assign(translation, { milliseconds, model });
  showTime();
  document.dispatchEvent(new Event("translated"));
  announceSoon();
}

/** Puts another translation of one sentence in its place. */
export function replaceSentence(index, text) {
  shown.sentences.list[index].text = text;
  output.querySelector(`[data-index="${index}"]`).textContent = text;
  document.dispatchEvent(new Event("translated"));
}

function announceSoon() {
  reading = setTimeout(() => {
    announcer.lang = output.lang;
    announcer.textContent = shown ? shown.sentences.text() : "";
  }, READING_PAUSE);
}

function showNothing() {
  shown = null;
  output.replaceChildren();
  output.classList.remove("stale");
  announcer.textContent = "";
  showWarnings(new Set());
  showTime();
  if (sourceLanguage() === "auto") showDetected(null);
  document.dispatchEvent(new Event("translating"));
}

function showWarnings(list) {
  warnings.hidden = list.size === 0;
  warnings.replaceChildren(
    ...[...list].map((text) => Object.assign(document.createElement("li"), { textContent: text })),
  );
}

function showTime() {
  const known = shown?.milliseconds !== undefined;
  time.textContent = known ? say("milliseconds", { time: number(shown.milliseconds, shown.milliseconds < 10 ? 1 : 0) }) : "";
}

const isTooLong = () => limit >= 0 && source.value.length > limit;

function showCount() {
  const slots = { count: number(source.value.length), limit: number(limit) };
  const count = document.getElementById("count");
  count.textContent = say(limit < 0 ? "countAlone" : "count", slots);
  count.classList.toggle("over", isTooLong());
  document.getElementById("clear").hidden = source.value === "";
  document.getElementById("card").classList.toggle("long", source.value.length > 300);
  source.style.height = "auto"; // then as tall as its text: the page scrolls, not the pane
  source.style.height = `${source.scrollHeight}px`;
}

/** The translation becomes the text, in the other direction. */
export function swappedText() {
  return shown && !output.classList.contains("stale") ? shown.sentences.text() : source.value;
}

/** The language to translate from after a swap. */
export function swappedSource() {
  return otherLanguage(knownSource() ?? "zh");
}

document.addEventListener("words", () => {
  showCount();
  showTime();
  source.placeholder = say(isTouched ? "typeHere" : "typeOrDrop");
  output.dataset.empty = say("translation");
});
window.addEventListener("resize", showCount);
