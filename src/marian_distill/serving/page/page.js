// The page of a translation server: wires its parts together.

import { closeAlternatives, alternativesAreOpen, toggleAlternatives } from "./alternatives.js";
import { chooseFile, setKinds } from "./files.js";
import { canTranslateFrom, choose, limitTo } from "./languages.js";
import { models, settings } from "./server.js";
import { read, write } from "./storage.js";
import { setLimit, setText, shownTranslation, swappedSource, swappedText, textChanged, translateNow } from "./translation.js";
import { keyName, label, say, showWords, size, switchLanguage } from "./words.js";
import "./history.js";

const EXAMPLES = {
  coffee: { en: "I would like a large latte with oat milk, please.", zh: "请给我一杯大杯燕麦拿铁，不加糖。" },
  money: { en: "That will be $12.50. Can I pay by card?", zh: "一共是3280元，可以刷卡吗？" },
  travel: { en: "How do I get to the airport?", zh: "去上海的高铁几点发车？" },
};
const THEMES = ["auto", "light", "dark"];
const element = (id) => document.getElementById(id);
const source = element("source");
let known = []; // models, as /models lists them

// Text, languages, copy

source.addEventListener("input", (event) => {
  if (!event.isComposing) textChanged(); // half a pinyin syllable is no text yet
});
source.addEventListener("compositionend", textChanged);
document.querySelector(".source-pane").addEventListener("click", () => source.focus());
element("source-language").addEventListener("change", (event) => {
  choose(event.target.value);
  translateNow();
});
element("swap").addEventListener("click", swap);
element("clear").addEventListener("click", () => {
  setText("");
  source.focus();
});
element("copy").addEventListener("click", copy);
document.addEventListener("glossary", translateNow);
for (const name of ["translating", "translated"]) document.addEventListener(name, showActions);

function showActions() {
  element("copy").disabled = element("open-alternatives").disabled = !shownTranslation();
}

function swap() {
  if (element("swap").disabled) return;
  const text = swappedText();
  choose(swappedSource());
  setText(text);
}

async function copy() {
  const shown = shownTranslation();
  if (!shown) return;
  const done = await copyText(shown.sentences.text());
  const words = say(done ? "copied" : "copyFailed", { keys: `${keyName("Ctrl")}+C` });
  element("copy-label").textContent = element("announcer").textContent = words;
  setTimeout(() => (element("copy-label").textContent = say("copy")), done ? 1500 : 4000);
}

/** Over plain http from another machine browsers have no clipboard: there the selected translation is copied. */
async function copyText(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed: the other way may be.
    }
  }
  getSelection().selectAllChildren(element("output"));
  const done = document.execCommand("copy");
  if (done) getSelection().removeAllRanges();
  return done;
}

// Examples and facts

function showExamples() {
  element("examples").replaceChildren(...Object.entries(EXAMPLES).map(([topic, texts]) => {
    const group = document.createElement("li");
    group.append(Object.assign(document.createElement("h3"), { textContent: say(topic) }));
    for (const [language, text] of Object.entries(texts)) if (canTranslateFrom(language)) group.append(chip(language, text));
    return group;
  }));
}

function chip(language, text) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "chip", textContent: text });
  button.lang = language === "zh" ? "zh-Hans" : "en";
  button.addEventListener("click", () => {
    choose("auto");
    setText(text);
  });
  return button;
}

function showFacts() {
  const loaded = known.filter((model) => model.loaded);
  const answering = loaded.filter(({ name }) => name === shownTranslation()?.model);
  element("facts").textContent = (answering.length ? answering : loaded)
    .map(({ name, bytes, compute_type: type, engine }) => [name, size(bytes), type, engine].filter(Boolean).join(" · "))
    .join(", ");
}

// Dialogs, theme, keys

const DIALOGS = ["glossary", "history", "keys"];

const open = (id) => element(id).showModal();
const dialogIsOpen = () => document.querySelector("dialog[open]") !== null;

for (const id of DIALOGS) {
  element(`open-${id}`).addEventListener("click", () => open(id));
  element(id).querySelector(".close").addEventListener("click", () => element(id).close());
  element(id).addEventListener("click", (event) => {
    if (event.target === element(id)) element(id).close(); // beside it
  });
}

element("theme").addEventListener("click", () => {
  const theme = THEMES[(THEMES.indexOf(read("theme", "auto")) + 1) % THEMES.length];
  write("theme", theme);
  document.documentElement.dataset.theme = theme;
  showTheme();
});
element("interface-language").addEventListener("click", switchLanguage);

function showTheme() {
  const name = { light: "themeLight", dark: "themeDark" }[read("theme", "auto")] ?? "themeAuto";
  label(element("theme"), say(name));
}

const KEYS = [
  ["Ctrl+Enter", "keyTranslate", translateNow],
  ["Alt+S", "keySwap", swap],
  ["Alt+C", "keyCopy", copy],
  ["Alt+A", "keyAlternatives", toggleAlternatives],
  ["Alt+G", "keyGlossary", () => open("glossary")],
  ["Alt+H", "keyHistory", () => open("history")],
  ["Alt+F", "keyFile", chooseFile],
  ["Ctrl+/", "keyKeys", () => open("keys")],
  ["Esc", "keyClose", () => closeAlternatives({ focus: true })],
];

/** As KEYS writes it; by the place of a key, since Alt changes what a letter types on some keyboards. */
function pressed(event) {
  const name = { Escape: "Esc", Slash: "/" }[event.code] ?? event.code.replace("Key", "");
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${name}`;
}

document.addEventListener("keydown", (event) => {
  const key = KEYS.find(([keys]) => keys === pressed(event));
  if (!key || event.isComposing || dialogIsOpen() || (key[0] === "Esc" && !alternativesAreOpen())) return;
  event.preventDefault();
  key[2]();
});

function showKeys() {
  element("keys-list").replaceChildren(...KEYS.flatMap(([keys, name]) => {
    const term = document.createElement("dt");
    term.append(...keys.split("+").map((part) => Object.assign(document.createElement("kbd"), { textContent: keyName(part) })));
    return [term, Object.assign(document.createElement("dd"), { textContent: say(name) })];
  }));
}

// Start

document.addEventListener("words", () => {
  label(element("interface-language"), say("otherInterface"));
  element("interface-language").textContent = say("otherInterfaceName");
  showExamples();
  showTheme();
  showKeys();
  showFacts();
});
document.addEventListener("translated", showFacts);

/** What the server can do: its limits and its models. */
async function ask() {
  const [limits, served] = await Promise.allSettled([settings(), models()]);
  if (limits.status === "fulfilled") {
    setLimit(limits.value.charLimit);
    setKinds(limits.value.supportedFilesFormat);
  }
  if (served.status === "fulfilled") {
    known = served.value;
    limitTo(known.flatMap(({ directions }) => directions));
    showExamples();
    showFacts();
  }
}

document.addEventListener("key", ask);
showWords();
ask();
if (source.value) translateNow(); // text that the browser kept over a reload
