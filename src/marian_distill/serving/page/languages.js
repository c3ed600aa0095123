// Which languages are chosen, detected and possible.

import { read, write } from "./storage.js";
import { label, say } from "./words.js";

const sourceChoice = document.getElementById("source-language");
const targetName = document.getElementById("target-language");
const swapButton = document.getElementById("swap");
const output = document.getElementById("output");
const source = document.getElementById("source");

let detected = null; // of the text that is shown, where the choice is to detect
let possible = ["en", "zh"]; // source languages that the models translate from

export const otherLanguage = (language) => (language === "en" ? "zh" : "en");

/** "auto", "en" or "zh". */
export function sourceLanguage() {
  return sourceChoice.querySelector(":checked").value;
}

/** Source and target of a request: no target where the source is to be detected. */
export function languagePair() {
  const language = sourceLanguage();
  return { source: language, target: language === "auto" ? null : otherLanguage(language) };
}

/** The source language as far as it is known, or null. */
export function knownSource() {
  const language = sourceLanguage();
  return language === "auto" ? detected : language;
}

export function choose(language) {
  const radio = sourceChoice.querySelector(`[value=${language}]`);
  if (radio.disabled) return;
  radio.checked = true;
  detected = null;
  write("source", language);
  showLanguages();
}

export function showDetected(language) {
  detected = language;
  showLanguages();
}

/** Offers only what the models can do: `directions` as in /models. */
export function limitTo(directions) {
  const sources = new Set(directions.map((direction) => direction.source));
  possible = ["en", "zh"].filter((language) => sources.has(language));
  const oneWay = possible.length === 1;
  for (const radio of sourceChoice.querySelectorAll("input")) {
    radio.disabled = oneWay && radio.value !== possible[0];
    radio.closest("label").hidden = radio.disabled;
    if (oneWay) radio.checked = radio.value === possible[0];
  }
  swapButton.hidden = swapButton.disabled = oneWay;
  document.getElementById("card").classList.toggle("one-way", oneWay);
  showLanguages();
}

export const canTranslateFrom = (language) => possible.includes(language);

export function showLanguages() {
  const known = knownSource();
  const isDetected = sourceLanguage() === "auto" && detected !== null;
  document.getElementById("auto-label").textContent = isDetected
    ? say("detected", { language: say(detected) })
    : say("detect");
  targetName.textContent = known ? say(otherLanguage(known)) : say("other");
  source.lang = known === "zh" ? "zh-Hans" : (known ?? "");
  output.lang = known === "en" ? "zh-Hans" : "en";
}

const kept = sourceChoice.querySelector(`[value="${read("source", "auto")}"]`);
if (kept) kept.checked = true;
document.addEventListener("words", showLanguages);
