// What this page keeps, in this browser alone: settings, glossary, history. A browser that keeps nothing still translates.

export function read(name, fallback) {
  try {
    const text = localStorage.getItem(name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

export function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Full, or forbidden: what was typed lasts as long as the page.
  }
}
