// A translation arrives sentence by sentence; here it becomes one text again, with the line breaks of its source.

/**
 * What stands before a sentence's translation: the line breaks of the source before it; between two sentences of one
 * line a space in English, nothing in Chinese.
 */
function gapBefore(between, isFirst, target) {
  const breaks = between.replace(/[^\n]/g, "");
  if (breaks) return breaks;
  return isFirst || target === "zh" ? "" : " ";
}

/** Collects sentences: `add` as they come, `text()` for the whole. */
export class Sentences {
  constructor(source) {
    this.source = source.replaceAll("\r\n", "\n");
    this.list = [];
    this.position = 0;
  }

  add({ source_text, text, target }) {
    const found = this.source.indexOf(source_text, this.position);
    const start = found < 0 ? this.position : found;
    const gap = gapBefore(this.source.slice(this.position, start), this.list.length === 0, target);
    this.position = found < 0 ? this.position : start + source_text.length;
    const sentence = { source: source_text, text, gap };
    this.list.push(sentence);
    return sentence;
  }

  text() {
    return this.list.map(({ gap, text }) => gap + text).join("");
  }
}
