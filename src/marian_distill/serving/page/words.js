// The interface in English and Chinese. A string may hold {slots}; an element names its string in data-words
// (its text) or data-words-label (its accessible name and its tooltip).

import { read, write } from "./storage.js";

const ENGLISH = {
  title: "English ⇄ Chinese translator",
  skip: "Skip to the text",
  translate: "Translate",
  sourceLanguage: "Language of your text",
  detect: "Detect language",
  detected: "{language} (detected)",
  en: "English",
  zh: "Chinese",
  into: "Into",
  other: "English or Chinese",
  swap: "Swap languages",
  yourText: "Your text",
  typeHere: "Type or paste text",
  typeOrDrop: "Type or paste text, or drop a file",
  translation: "Translation",
  clear: "Clear the text",
  count: "{count} / {limit}",
  countAlone: "{count}",
  tooLong: "{over} characters over the limit of {limit}. Shorten the text, or translate it as a file.",
  translateFile: "Translate a file",
  copy: "Copy",
  copied: "Copied",
  copyFailed: "Selected: press {keys}",
  alternatives: "Alternatives",
  probability: "The model's own estimate: the mean probability of a token",
  alternativesOf: "Other translations of “{sentence}”",
  noAlternatives: "The model has no other translation of this sentence.",
  previous: "Previous sentence",
  next: "Next sentence",
  sentenceOf: "{number} of {total}",
  close: "Close",
  cancel: "Cancel",
  glossary: "Glossary",
  glossaryNote: "These words are translated as you say, in both directions. The list stays in this browser.",
  glossaryEmpty: "No terms yet. Add “latte” and “拿铁”, say.",
  add: "Add",
  remove: "Remove {term}",
  history: "History",
  historyNote: "The last {limit} translations, kept in this browser alone.",
  historyEmpty: "Nothing yet.",
  clearHistory: "Clear the history",
  useAgain: "Translate again: {text}",
  keys: "Keyboard shortcuts",
  keyTranslate: "Translate at once",
  keySwap: "Swap languages",
  keyCopy: "Copy the translation",
  keyAlternatives: "Alternatives of a sentence",
  keyGlossary: "Glossary",
  keyHistory: "History",
  keyFile: "Translate a file",
  keyKeys: "This list",
  keyClose: "Close what is open",
  themeAuto: "Theme: as the system",
  themeLight: "Theme: light",
  themeDark: "Theme: dark",
  otherInterface: "Show this page in Chinese · 中文界面",
  otherInterfaceName: "中文",
  examples: "Examples",
  money: "Money",
  coffee: "Coffee",
  travel: "Travel",
  privacy: "Text goes to this server and nowhere else.",
  milliseconds: "{time} ms",
  fileTranslating: "Translating, {time} s",
  fileDone: "Translated in {time} s",
  fileCancelled: "Cancelled",
  fileKind: "{name}: files of this kind are not translated here. These are: {kinds}.",
  download: "Download {name}",
  retry: "Try again",
  key: "API key",
  useKey: "Use this key",
  keyNeeded: "This server asks for an API key.",
  unreachable: "The server cannot be reached. Is it still running?",
  busy: "The server is busy. Next try in {seconds} s.",
  tooMany: "Too many requests. Next try in {seconds} s.",
  failed: "The server could not translate this (error {status}).",
  cutShort: "The answer ended before the translation did.",
};

const CHINESE = {
  title: "中英互译",
  skip: "跳到文本框",
  translate: "翻译",
  sourceLanguage: "原文语言",
  detect: "检测语言",
  detected: "{language}（检测到）",
  en: "英语",
  zh: "中文",
  into: "译成",
  other: "英语或中文",
  swap: "交换语言",
  yourText: "原文",
  typeHere: "输入或粘贴文字",
  typeOrDrop: "输入或粘贴文字，也可以拖入文件",
  translation: "译文",
  clear: "清空原文",
  count: "{count} / {limit}",
  countAlone: "{count}",
  tooLong: "超出上限（{limit} 个字符）{over} 个字符。请缩短文字，或作为文件翻译。",
  translateFile: "翻译文件",
  copy: "复制",
  copied: "已复制",
  copyFailed: "已选中，请按 {keys}",
  alternatives: "其他译法",
  probability: "模型自己的估计：每个词元的平均概率",
  alternativesOf: "“{sentence}”的其他译法",
  noAlternatives: "这句话没有其他译法。",
  previous: "上一句",
  next: "下一句",
  sentenceOf: "第 {number} 句，共 {total} 句",
  close: "关闭",
  cancel: "取消",
  glossary: "术语表",
  glossaryNote: "这些词语按您指定的译法翻译，双向有效。术语表只保存在此浏览器中。",
  glossaryEmpty: "还没有术语。例如可以添加“latte”和“拿铁”。",
  add: "添加",
  remove: "删除 {term}",
  history: "历史记录",
  historyNote: "最近 {limit} 条翻译，只保存在此浏览器中。",
  historyEmpty: "还没有记录。",
  clearHistory: "清空历史记录",
  useAgain: "再次翻译：{text}",
  keys: "键盘快捷键",
  keyTranslate: "立即翻译",
  keySwap: "交换语言",
  keyCopy: "复制译文",
  keyAlternatives: "句子的其他译法",
  keyGlossary: "术语表",
  keyHistory: "历史记录",
  keyFile: "翻译文件",
  keyKeys: "快捷键列表",
  keyClose: "关闭打开的面板",
  themeAuto: "主题：跟随系统",
  themeLight: "主题：浅色",
  themeDark: "主题：深色",
  otherInterface: "用英文显示本页 · English interface",
  otherInterfaceName: "EN",
  examples: "例句",
  money: "金钱",
  coffee: "咖啡",
  travel: "旅行",
  privacy: "文字只发送到本服务器，不会发往别处。",
  milliseconds: "{time} 毫秒",
  fileTranslating: "正在翻译，{time} 秒",
  fileDone: "翻译完成，用时 {time} 秒",
  fileCancelled: "已取消",
  fileKind: "{name}：不支持这种文件。可以翻译：{kinds}。",
  download: "下载 {name}",
  retry: "重试",
  key: "API 密钥",
  useKey: "使用此密钥",
  keyNeeded: "本服务器需要 API 密钥。",
  unreachable: "无法连接服务器。它还在运行吗？",
  busy: "服务器繁忙，{seconds} 秒后重试。",
  tooMany: "请求过多，{seconds} 秒后重试。",
  failed: "服务器未能翻译（错误 {status}）。",
  cutShort: "译文尚未完成，回答就中断了。",
};

const WORDS = { en: ENGLISH, zh: CHINESE };
const preferred = navigator.languages.find((language) => /^(en|zh)\b/i.test(language)) ?? "en";
let language = read("interface", preferred.slice(0, 2).toLowerCase());
if (!(language in WORDS)) language = "en";

/** The string of that name in the language of the interface, its slots filled. */
export function say(name, slots = {}) {
  return WORDS[language][name].replace(/\{(\w+)\}/g, (_, slot) => slots[slot]);
}

/** A number as the language of the interface writes it. */
export function number(value, digits = 0) {
  return value.toLocaleString(language, { maximumFractionDigits: digits });
}

/** A size in megabytes or kilobytes. */
export function size(bytes) {
  return bytes < 1e6 ? `${number(bytes / 1e3, 1)} kB` : `${number(bytes / 1e6, 1)} MB`;
}

const isMac = navigator.platform.startsWith("Mac");
export const isTouched = matchMedia("(hover: none)").matches;

/** A key as its keyboard has it: "Ctrl" is ⌘ and "Alt" is ⌥ on a Mac. */
export function keyName(key) {
  return isMac ? ({ Ctrl: "⌘", Alt: "⌥" }[key] ?? key) : key;
}

/** Gives an element its accessible name and a tooltip. */
export function label(element, text) {
  element.setAttribute("aria-label", text);
  element.title = text;
}

/** Tells the shortcut of an element that has one, in its tooltip and to a screen reader. */
function showShortcut(element) {
  const { key } = element.dataset;
  element.setAttribute("aria-keyshortcuts", `Alt+${key}`);
  element.title = `${element.ariaLabel ?? element.textContent.trim()} (${keyName("Alt")}+${key})`;
}

export function interfaceLanguage() {
  return language;
}

/** Shows the interface in the other language; listeners of the event "words" write what depends on state. */
export function switchLanguage() {
  language = language === "en" ? "zh" : "en";
  write("interface", language);
  showWords();
}

export function showWords() {
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-words]")) element.textContent = say(element.dataset.words);
  for (const element of document.querySelectorAll("[data-words-label]")) label(element, say(element.dataset.wordsLabel));
  document.dispatchEvent(new Event("words"));
  for (const element of document.querySelectorAll("[data-key]")) showShortcut(element);
}
