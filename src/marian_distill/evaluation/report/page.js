// Draws the report from its data. Every text goes in as text, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const find = (selector) => document.querySelector(selector);
const state = { task: 0, system: "", other: "", list: "different", sort: null, opened: new Set() };

const say = (word) => WORDS[word][root.lang === "zh" ? 1 : 0];
const named = (name) => (data.names[name] || [name, name])[root.lang === "zh" ? 1 : 0];
const task = () => data.tasks[state.task];
const decisive = () => task().metric.toLowerCase();
const ours = () => task().systems[state.system];
const theirs = () => task().systems[state.other];

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function fill(place, ...children) {
  place.replaceChildren(...children);
}

const fixed = (value, digits = 1) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const percent = (value) => `${fixed(100 * value)} %`;
const signed = (value, digits = 1) => (value > 0 ? "+" : value < 0 ? "−" : "±") + fixed(Math.abs(value), digits);
const between = ([low, high], write = fixed) => `${write(low)} – ${write(high)}`;

// The table of scores and costs: a column is a heading, a value to sort by, and a cell.

function columns() {
  const metrics = Object.keys(task().signatures);
  const order = [decisive(), ...metrics.filter((metric) => metric !== decisive())];
  const label = { bleu: "BLEU", chrf: "chrF", "chrf++": "chrF++" };
  return [
    { key: "system", head: say("system"), value: (system, name) => name, cell: (system, name) => [name] },
    ...order.map((metric) => ({
      key: metric, head: label[metric],
      value: (system) => system.scores[metric],
      cell: (system) => [fixed(system.scores[metric]), element("small", {}, between(system.intervals[metric]))],
      difference: (system) => tested(system.against[state.other]?.[metric]),
    })),
    shareColumn("kept", (system) => system.kept),
    shareColumn("exact", (system) => system.exact),
    costColumn("size", 1, (cost) => cost.size_mb),
    costColumn("memory", 0, (cost) => cost.peak_memory_mb),
    costColumn("p50", 1, (cost) => cost.latency_ms.p50),
    costColumn("p95", 1, (cost) => cost.latency_ms.p95),
    costColumn("p99", 1, (cost) => cost.latency_ms.p99),
    costColumn("load", 2, (cost) => cost.load_seconds),
    costColumn("sentencesPerSecond", 0, (cost) => cost.sentences_per_second),
    costColumn("wordsPerSecond", 0, (cost) => cost.source_words_per_second),
    costColumn("computed", null, (cost) => cost.compute_type),
    costColumn("threads", 0, (cost) => cost.threads),
  ].filter((column) => Object.entries(task().systems).some(([name, system]) => column.value(system, name) !== null));
}

function tested(comparison) {
  if (!comparison) return ["—"];
  const sure = comparison.p_value < 0.05;
  const side = !sure ? "" : comparison.difference > 0 ? "ahead" : "behind";
  return [
    element("span", { class: side }, signed(comparison.difference) + (sure ? " ★" : "")),
    element("small", {}, `${between(comparison.interval, (value) => signed(value))}, p ${comparison.p_value < 0.001 ? "< 0.001" : "= " + fixed(comparison.p_value, 3)}`),
  ];
}

function shareColumn(key, shares) {
  return {
    key, head: say(key),
    value: (system) => (shares(system) ? shares(system)[0] : null),
    cell: (system) => {
      const share = shares(system);
      return share ? [percent(share[0]), element("small", {}, between(share.slice(1), (value) => fixed(100 * value)))] : [""];
    },
    difference: (system) => {
      const [mine, other] = [shares(system), shares(theirs())];
      return mine && other && system !== theirs() ? [signed(100 * (mine[0] - other[0])) + " %"] : ["—"];
    },
  };
}

function costColumn(key, digits, read) {
  const value = (system) => (system.cost ? read(system.cost) : null);
  const write = (found) => (found === null ? "" : digits === null ? found : fixed(found, digits));
  return {
    key, head: say(key), value,
    cell: (system) => [write(value(system))],
    difference: (system) => {
      const [mine, other] = [value(system), value(theirs())];
      if (mine === null || other === null || system === theirs()) return [mine === null ? "" : "—"];
      return [digits === null || !other ? write(mine) : `× ${fixed(mine / other, 2)}`];
    },
  };
}

function drawScores() {
  const differences = find("#differences").checked && state.other;
  const wanted = columns();
  const sort = state.sort || { key: decisive(), down: true };
  const by = wanted.find((column) => column.key === sort.key) || wanted[0];
  const systems = Object.entries(task().systems).sort(([a, one], [b, two]) => {
    const [left, right] = [by.value(one, a), by.value(two, b)];
    if (left === null || right === null) return (left === null) - (right === null);
    return (left < right ? -1 : left > right ? 1 : 0) * (sort.down ? -1 : 1);
  });
  fill(find("#scores thead"), element("tr", {}, ...wanted.map((column) => element(
    "th", { "aria-sort": column === by ? (sort.down ? "descending" : "ascending") : null, "data-column": column.key },
    element("button", { type: "button", onclick: () => {
      state.sort = { key: column.key, down: by === column ? !sort.down : column.key !== "system" };
      drawScores();
    } }, column.head),
  ))));
  fill(find("#scores tbody"), ...systems.map(([name, system]) => element(
    "tr", { "aria-selected": name === state.system, "data-system": name, onclick: () => choose(name) },
    ...wanted.map((column) => element("td", {}, ...(differences && column.difference ? column.difference(system) : column.cell(system, name)))),
  )));
  find("#differences").disabled = !state.other;
  find("#beside").textContent = state.other || say("none");
}

// Slices, lengths and faults of the system that is chosen.

function drawSlices() {
  const key = decisive();
  const rows = [
    ...Object.entries(ours().slices).map(([name, part]) => [`slice ${name}`, named(name), part, theirs()?.slices[name]]),
    ...Object.entries(ours().lengths).map(([name, part]) => [`length ${name}`, `${name} ${say("words")}`, part, theirs()?.lengths[name]]),
  ];
  fill(find("#slices thead"), heads("slice", "sentences", task().metric, state.other ? "difference" : null, "kept"));
  fill(find("#slices tbody"), ...rows.flatMap(([id, name, part, other]) => opening(id, part.worst, [
    [name], [part.sentences.toLocaleString("en")],
    [fixed(part.score), element("small", {}, between(part.interval))],
    ...(state.other ? [[other ? signed(part.score - other.score) : ""]] : []),
    [part.kept === undefined ? "" : percent(part.kept)],
  ])));
  const faults = Object.entries(ours().faults);
  fill(find("#faults thead"), heads("fault", "sentences", "share", state.other || null));
  fill(find("#faults tbody"), ...faults.flatMap(([id, fault]) => opening(`fault ${id}`, fault.worst, [
    [named(id)], [fault.sentences.toLocaleString("en")],
    [percent(fault.share), element("small", {}, between(fault.interval, (value) => fixed(100 * value)))],
    ...(state.other ? [[percent(theirs().faults[id].share)]] : []),
  ])));
}

function heads(...words) {
  const shown = words.filter((word) => word !== null);
  return element("tr", {}, ...shown.map((word) => element("th", {}, Object.hasOwn(WORDS, word) ? say(word) : word)));
}

function opening(id, rows, cells) {
  const open = state.opened.has(id) && rows.length > 0;
  const toggle = () => {
    if (!state.opened.delete(id)) state.opened.add(id);
    drawSlices();
  };
  const row = element("tr", {
    tabindex: rows.length ? 0 : null, "aria-expanded": rows.length ? open : null, "data-row": id, onclick: toggle,
    onkeydown: (event) => event.key === "Enter" && toggle(),
  }, ...cells.map((cell) => element("td", {}, ...cell)));
  if (!open) return [row];
  return [row, element("tr", { class: "opened" }, element("td", { colspan: cells.length }, ...rows.map((number) => sentence(number, false))))];
}

// Sentences, with what differs marked.

function sentence(number, beside) {
  const row = task().rows[number];
  const text = row.texts[state.system] ?? "";
  const other = beside ? row.texts[state.other] : undefined;
  const score = (name) => (row.scores[name] === undefined ? "" : ` ${fixed(row.scores[name])}`);
  const [mine, against] = marked(text, other ?? row.references[0]);
  return element("dl", { class: "sentence", "data-number": number },
    element("dt", {}, `${say("source")} ${Number(number) + 1}`), element("dd", {}, row.source),
    ...row.references.flatMap((reference, index) => [
      element("dt", {}, say("reference")),
      element("dd", {}, ...(other === undefined && index === 0 ? against : [reference])),
    ]),
    ...(other === undefined ? [] : [element("dt", {}, state.other + score(state.other)), element("dd", {}, ...against)]),
    element("dt", {}, state.system + score(state.system)), element("dd", {}, ...(text ? mine : [say("nothing")])));
}

const TOKEN = /[㐀-鿿豈-﫿]|\d+(?:[.,:]\d+)*|[A-Za-z0-9À-ɏ]+|\s+|./gsu;

function marked(text, other) {
  // The longest common subsequence of both, by characters of Chinese and words of English.
  const [a, b] = [text.match(TOKEN) || [], other.match(TOKEN) || []];
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i][j] = a[i] === b[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const [inA, inB] = [a.map(() => false), b.map(() => false)];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) inA[i++] = inB[j++] = true;
    else if (lengths[i + 1][j] >= lengths[i][j + 1]) i++;
    else j++;
  }
  return [pieces(a, inA, "ins"), pieces(b, inB, "del")];
}

function pieces(tokens, common, tag) {
  const made = [];
  for (let start = 0; start < tokens.length;) {
    let end = start;
    while (end < tokens.length && common[end] === common[start]) end++;
    const text = tokens.slice(start, end).join("");
    made.push(common[start] ? text : element(tag, {}, text));
    start = end;
  }
  return made;
}

function gain(number) {
  const { scores } = task().rows[number];
  return Math.abs((scores[state.system] ?? 0) - (scores[state.other] ?? 0));
}

function listed() {
  if (state.list === "worst") return ours().worst.map(String);
  if (!state.other) return [];
  const known = ours().different[state.other] || theirs().different[state.system];
  if (known) return known.map(String);
  // Of two systems that the report is not about: whatever it holds of both.
  const { rows } = task();
  return Object.keys(rows)
    .filter((number) => state.other in rows[number].texts && state.system in rows[number].texts)
    .filter((number) => rows[number].texts[state.system] !== rows[number].texts[state.other])
    .sort((a, b) => gain(b) - gain(a)).slice(0, 30);
}

function drawSentences() {
  const search = find("#search").value.trim().toLowerCase();
  const { rows } = task();
  const holds = (number) => [rows[number].source, ...rows[number].references, ...Object.values(rows[number].texts)]
    .some((text) => text.toLowerCase().includes(search));
  let numbers = search ? Object.keys(rows).filter((number) => state.system in rows[number].texts && holds(number)) : listed();
  const keys = {
    score: (number) => rows[number].scores[state.system] ?? 0, gain: (number) => -gain(number),
    length: (number) => rows[number].source.length, row: Number,
  };
  const key = keys[find("#order").value];
  if (key) numbers = [...numbers].sort((a, b) => key(a) - key(b));
  const beside = state.list === "different" && Boolean(state.other);
  const empty = search ? "found" : state.list === "worst" ? "found" : state.other ? "same" : "alone";
  fill(find("#sentences ol"), ...(numbers.length
    ? numbers.map((number) => element("li", {}, sentence(number, beside)))
    : [element("li", { class: "soft" }, say(empty))]));
  find("#found").textContent = `${numbers.length} ${say("shown")}`;
  for (const button of document.querySelectorAll("#lists button")) {
    button.setAttribute("aria-pressed", button.dataset.list === state.list);
  }
}

// The rest of the page.

function drawOrigin() {
  const { origin } = data;
  const code = (text) => element("code", {}, text);
  const listing = (values) => Object.entries(values).flatMap(([name, value]) => [code(`${value}  ${name}`), element("br")]);
  const entries = [
    ["command", [code(origin.command)]],
    ["fingerprints", listing(origin.fingerprints)],
    ["signatures", listing(Object.fromEntries(Object.entries(task().signatures).map(([name, value]) => [value, name])))],
    ["machine", [`${origin.machine}; ${origin.system}`]],
    ["versions", [Object.entries(origin.versions).map(([name, value]) => `${name} ${value}`).join(", ")]],
    ["revision", [code(origin.git)]],
    ["made", [origin.made_at]],
  ];
  fill(find("#origin dl"), ...entries.flatMap(([word, said]) => [element("dt", {}, say(word)), element("dd", {}, ...said)]));
}

function options(select, names, chosen) {
  fill(select, ...names.map((name, index) => element("option", { value: select.id === "task" ? index : name }, name)));
  select.value = chosen;
  select.disabled = names.length < 2 && select.id !== "task";
}

function draw() {
  const systems = Object.keys(task().systems);
  if (!systems.includes(state.system)) state.system = systems[0];
  const others = systems.filter((name) => name !== state.system);
  if (!others.includes(state.other)) state.other = others.includes(data.about) ? data.about : others[0] || "";
  options(find("#task"), data.tasks.map((one) => `${one.name} ${one.direction}`), state.task);
  options(find("#system"), systems, state.system);
  options(find("#other"), others, state.other);
  for (const option of find("#order").options) option.textContent = say(option.value);
  find("#search").placeholder = say("search");
  find("#verdict").textContent = data.verdicts[state.task][root.lang === "zh" ? 1 : 0];
  find("#remarks").textContent = Object.entries(task().systems).filter(([, one]) => one.seen)
    .map(([name, one]) => `${name}: ${say("seen")} ${one.seen}.`).join(" ");
  for (const [index, pictures] of [...document.querySelectorAll(".pictures")].entries()) pictures.hidden = index !== state.task;
  find("#training").hidden = !find("#training figure");
  drawScores();
  drawSlices();
  drawSentences();
  drawOrigin();
}

function choose(name) {
  if (name === state.system) return;
  if (name === state.other) state.other = state.system;
  state.system = name;
  draw();
}

find("#task").addEventListener("change", (event) => { state.task = Number(event.target.value); draw(); });
find("#system").addEventListener("change", (event) => choose(event.target.value));
find("#other").addEventListener("change", (event) => { state.other = event.target.value; draw(); });
find("#language").addEventListener("click", () => { root.lang = root.lang === "zh" ? "en" : "zh"; draw(); });
find("#theme").addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const shown = root.dataset.theme === "auto" ? (dark ? "dark" : "light") : root.dataset.theme;
  root.dataset.theme = shown === "dark" ? "light" : "dark";
});
find("#differences").addEventListener("change", drawScores);
find("#search").addEventListener("input", drawSentences);
find("#order").addEventListener("change", drawSentences);
for (const button of document.querySelectorAll("#lists button")) {
  button.addEventListener("click", () => { state.list = button.dataset.list; drawSentences(); });
}
if (navigator.language.startsWith("zh")) root.lang = "zh";
if (Object.keys(task().systems).length < 2) state.list = "worst";
draw();
