
"use strict";
(async () => {
  const PRINTED = 500; // rows of a printed list
  const POINTS = "Every part adds or takes percentage points of probability. The starting point is the same for all leads: " +
    "what the model gives before it knows anything about one. The parts are the model's arithmetic; only the reasons " +
    "above are confirmed by past leads.";
  const byId = (id) => document.getElementById(id);
  const table = byId("leads");
  const body = table.tBodies[0];
  const panel = byId("panel");
  const pageSize = Number(table.dataset.page);
  const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const columns = [...table.tHead.rows[0].cells];
  const has = (name) => columns.some((cell) => cell.dataset.sort === name);

  // Reading the leads

  async function readDocument() {
    const letters = atob(byId("data").textContent.trim());
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  const TEXTS = ["lead_id", "name", "own_name", "company", "contact", "email", "email_link", "phone", "phone_link",
    "url", "percent", "interval", "tier", "change", "stage", "rep", "route_reason", "action", "qualification",
    "rule", "override", "question"];

  function decode({ columns: values, history, texts }) {
    return values.win.map((_, at) => {
      const lead = { rank: at + 1 };
      for (const name of Object.keys(values)) lead[name] = values[name][at];
      for (const name of TEXTS) lead[name] = texts[lead[name]];
      lead.answers = lead.answers.map((number) => texts[number]);
      lead.reasons_up = readReasons(lead.reasons_up, texts);
      lead.reasons_down = readReasons(lead.reasons_down, texts);
      lead.start = lead.waterfall[0];
      lead.parts = readPairs(lead.waterfall.slice(1), (words, tenths) => ({ words: texts[words], tenths }));
      lead.timeline = readPairs(lead.timeline, (when, what) => [texts[when], texts[what]]);
      lead.history = readHistory(history, at);
      const reasons = [...lead.reasons_up, ...lead.reasons_down];
      lead.first = reasons.length ? reasons[0].words : "";
      const digits = lead.phone_link.replace("tel:", ""); // so that a number is there however it is spaced
      const searched = [lead.name, lead.own_name, lead.company, lead.lead_id, lead.contact, lead.email, lead.phone,
        digits, lead.stage, lead.rep, lead.action, lead.question, ...lead.answers, ...reasons.map((reason) => reason.words)];
      lead.searched = searched.join("\n").toLowerCase();
      return lead;
    });
  }

  function readReasons(numbers, texts) {
    return readPairs(numbers, (words, evidence) => ({ words: texts[words], evidence: texts[evidence] }));
  }

  function readPairs(numbers, build) {
    const pairs = [];
    for (let at = 0; at < numbers.length; at += 2) pairs.push(build(numbers[at], numbers[at + 1]));
    return pairs;
  }

  function readHistory(history, at) {
    return history
      .filter((list) => list.win[at] !== null)
      .map((list) => ({ day: list.day, win: list.win[at], tier: list.tier[at] }));
  }

  // Building elements; text is only ever set as text

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  const foreign = (text) => element("bdi", {}, text);
  const badge = (tier) => element("span", { class: `tier tier-${tier}` }, tier);
  const soft = (...children) => element("span", { class: "soft" }, ...children);

  function arrow(points) {
    const sign = points > 0 ? "▲ +" : "▼ −";
    const kind = points > 0 ? "rise" : "fall";
    return element("span", { class: kind }, sign + Math.abs(points));
  }

  function opener(lead) {
    return element("button", { type: "button", class: "lead", "data-rank": lead.rank }, foreign(lead.name));
  }

  function buildRow(lead) {
    const row = element("tr");
    const add = (kind, ...children) => row.append(element("td", kind ? { class: kind } : {}, ...children));
    add("n", String(lead.rank));
    row.append(buildName(lead));
    add("", badge(lead.tier));
    add("n", lead.percent);
    if (has("value")) add("n mid", formatValue(lead.value, lead));
    if (has("move")) add("n mid", describeMove(lead));
    if (has("stage")) add("broad", foreign(lead.stage));
    if (has("rep")) add("mid", foreign(lead.rep));
    add("mid", lead.action);
    add("broad", foreign(lead.first));
    return row;
  }

  function buildName(lead) {
    const head = element("th", { scope: "row" }, opener(lead));
    if (lead.contact || lead.name !== lead.lead_id) {
      head.append(element("br"), soft(foreign(lead.contact || lead.lead_id)));
    }
    const why = lead.first ? [element("br"), foreign(lead.first)] : [];
    head.append(element("span", { class: "soft small-only" }, element("br"), lead.action, ...why));
    return head;
  }

  function formatValue(value, lead) {
    return value === null ? "" : whole.format(value) + (lead.is_estimated ? "*" : "");
  }

  function describeMove(lead) {
    if (lead.is_new) return soft("new");
    return lead.move ? arrow(lead.move) : "";
  }

  // The list: filtered, sorted, in pages

  const state = { sort: "rank", falling: false, page: 0, rows: [] };
  const chosen = (id) => (byId(id) ? byId(id).value : "");

  function matches(lead, words) {
    const tier = chosen("tier");
    const rep = chosen("rep");
    const stage = chosen("stage");
    const moved = chosen("moved");
    if (tier && lead.tier !== tier) return false;
    if (rep && lead.rep !== (rep === "-" ? "" : rep)) return false;
    if (stage && lead.stage !== stage) return false;
    if (moved === "rose" && lead.trend <= 0) return false;
    if (moved === "fell" && lead.trend >= 0) return false;
    return words.every((word) => lead.searched.includes(word));
  }

  function compare(left, right) {
    const [a, b] = [left[state.sort], right[state.sort]];
    const isMissing = (value) => value === null || value === "";
    if (isMissing(a) || isMissing(b)) return isMissing(a) - isMissing(b) || left.rank - right.rank;
    const order = typeof a === "string" ? a.localeCompare(b, "en") : a - b;
    return (state.falling ? -order : order) || left.rank - right.rank;
  }

  function refresh() {
    const words = chosen("search").toLowerCase().split(/\s+/).filter(Boolean);
    state.rows = leads.filter((lead) => matches(lead, words)).sort(compare);
    state.page = 0;
    show();
  }

  function show(from = state.page * pageSize, size = pageSize) {
    const rows = state.rows.slice(from, from + size);
    body.replaceChildren(...rows.map(buildRow));
    const pages = Math.max(1, Math.ceil(state.rows.length / pageSize));
    const noun = state.rows.length === 1 ? "lead" : "leads";
    const of = state.rows.length === leads.length ? "" : ` of ${whole.format(leads.length)}`;
    byId("count").textContent = `${whole.format(state.rows.length)} ${noun}${of}`;
    byId("none").hidden = state.rows.length > 0 || !leads.length;
    byId("rows").hidden = !byId("none").hidden;
    byId("pages").hidden = pages === 1;
    byId("place").textContent = `page ${state.page + 1} of ${pages}`;
    byId("back").disabled = state.page === 0;
    byId("next").disabled = state.page === pages - 1;
    for (const cell of columns.filter((cell) => cell.dataset.sort)) {
      if (cell.dataset.sort === state.sort) {
        cell.setAttribute("aria-sort", state.falling ? "descending" : "ascending");
        cell.firstChild.textContent = cell.dataset.label + (state.falling ? " ▾" : " ▴");
      } else {
        cell.removeAttribute("aria-sort");
        cell.firstChild.textContent = cell.dataset.label;
      }
    }
  }

  const FALLING_FIRST = ["win", "value", "move"];

  function sortBy(name) {
    state.falling = state.sort === name ? !state.falling : FALLING_FIRST.includes(name);
    state.sort = name;
    refresh();
  }

  function clear() {
    state.sort = "rank";
    state.falling = false;
    setTimeout(refresh); // the fields are empty only after this event
  }

  function turn(by) {
    state.page += by;
    show();
    byId("list").scrollIntoView();
    const first = body.querySelector("button.lead");
    if (first) first.focus({ preventScroll: true });
  }

  // A lead's panel

  let opened = null;

  function open(lead) {
    opened = lead;
    byId("panel-title").replaceChildren(foreign(lead.name), " ", badge(lead.tier));
    byId("panel-body").replaceChildren(...describe(lead));
    const at = state.rows.indexOf(lead);
    byId("before").disabled = at <= 0;
    byId("after").disabled = at < 0 || at === state.rows.length - 1;
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    byId("panel-title").focus();
  }

  function step(by) {
    const next = state.rows[state.rows.indexOf(opened) + by];
    if (opened && state.rows.includes(opened) && next) open(next);
  }

  function describe(lead) {
    return [
      describeScore(lead),
      ...section("Whom to reach", describeContact(lead)),
      ...section("Next", describeNext(lead)),
      ...section("What speaks for it", describeReasons(lead.reasons_up)),
      ...section("What speaks against it", describeReasons(lead.reasons_down)),
      ...section("What makes the probability", describeWaterfall(lead)),
      ...section("BANT", listOf(lead.answers.map(foreign))),
      ...section("What happened, the latest first", describeTimeline(lead)),
      ...section("Scores so far", describeHistory(lead)),
    ];
  }

  function section(title, content) {
    return content ? [element("h3", {}, title), content] : [];
  }

  function listOf(items) {
    return items.length ? element("ul", {}, ...items.map((item) => element("li", {}, item))) : null;
  }

  function definitions(pairs) {
    const list = element("dl");
    for (const [term, meaning] of pairs) {
      if (meaning) list.append(element("dt", {}, term), element("dd", {}, meaning));
    }
    return list.childElementCount ? list : null;
  }

  function describeScore(lead) {
    const amount = lead.amount === null ? "" : formatValue(lead.amount, lead);
    const value = lead.value === null ? "" : formatValue(lead.value, lead);
    const win = `${lead.win.toFixed(1)}% (leads like this: ${lead.interval})`;
    return definitions([
      ["win probability", win],
      ["score", `${lead.score} of 100`],
      ["amount", amount],
      ["expected value", value],
      ["stage", lead.stage && foreign(lead.stage)],
      ["change", lead.change && foreign(lead.change)],
    ]);
  }

  function describeContact(lead) {
    return definitions([
      ["company", lead.company && foreign(lead.company)],
      ["name", lead.own_name && foreign(lead.own_name)],
      ["contact", lead.contact && foreign(lead.contact)],
      ["e-mail", lead.email && link(lead.email_link, lead.email)],
      ["phone", lead.phone && link(lead.phone_link, lead.phone)],
      ["lead", lead.url ? buildLink(lead) : foreign(lead.lead_id)],
    ]);
  }

  const link = (href, text) => (href ? element("a", { href }, foreign(text)) : foreign(text));

  function buildLink(lead) {
    const how = { href: lead.url, rel: "noopener noreferrer", target: "_blank" };
    return element("a", how, foreign(lead.lead_id));
  }

  function describeNext(lead) {
    return definitions([
      ["action", lead.action],
      ["ask", lead.question && foreign(lead.question)],
      ["qualification", `${lead.qualification}${lead.rule ? ` (${lead.rule})` : ""}`],
      ["by hand", lead.override && foreign(lead.override)],
      ["rep", lead.rep && foreign(lead.rep)],
      [lead.rep ? "why this rep" : "why no rep", lead.route_reason && foreign(lead.route_reason)],
    ]);
  }

  function describeReasons(reasons) {
    return listOf(reasons.map((reason) => {
      const words = element("span", {}, foreign(reason.words));
      if (reason.evidence) words.append(element("br"), soft(reason.evidence));
      return words;
    }));
  }

  function describeBeyond(lead, most) {
    const words = `Shown for the first ${whole.format(most)} leads of the list.`;
    return most && lead.rank > most ? element("p", { class: "soft" }, words) : null;
  }

  // From the model's starting point, part by part, to this lead's probability; in tenths of a point
  function describeWaterfall(lead) {
    if (lead.start === undefined) return describeBeyond(lead, first.waterfall);
    const levels = [lead.start];
    for (const part of lead.parts) levels.push(levels[levels.length - 1] + part.tenths);
    const end = levels[levels.length - 1];
    const scale = { low: Math.min(0, ...levels), high: Math.max(...levels, 1) };
    const percent = (tenths) => `${(tenths / 10).toFixed(1)}%`;
    const rows = lead.parts.map(({ words, tenths }, at) => {
      const points = (tenths > 0 ? "+" : "−") + Math.abs(tenths / 10).toFixed(1);
      const bar = drawBar(tenths > 0 ? "rising" : "falling", levels[at], levels[at + 1], scale);
      return buildStep(foreign(words), points, bar);
    });
    const body = element("tbody", {},
      buildStep("Starting point of the model", percent(lead.start), drawBar("bar", 0, lead.start, scale)),
      ...rows,
      buildStep(element("b", {}, "This lead"), percent(end), drawBar("bar", 0, end, scale)));
    const head = element("thead", {}, element("tr", {},
      element("th", { scope: "col" }, "what is known"),
      element("th", { scope: "col", class: "n" }, "points"),
      element("td")));
    return element("div", {},
      element("p", { class: "soft" }, POINTS),
      element("table", { class: "dense" }, head, body));
  }

  function buildStep(words, number, bar) {
    return element("tr", {},
      element("th", { scope: "row" }, words),
      element("td", { class: "n" }, number),
      element("td", {}, bar));
  }

  function drawBar(kind, from, to, { low, high }) {
    const place = (level) => (100 * (level - low)) / (high - low);
    const width = Math.max(Math.abs(place(to) - place(from)), 1);
    const bar = draw("rect", { class: kind, x: place(Math.min(from, to)), width, height: 10 });
    const frame = { class: "meter", viewBox: "0 0 101 10", preserveAspectRatio: "none", "aria-hidden": "true" };
    return draw("svg", frame, bar);
  }

  function describeTimeline(lead) {
    if (!lead.timeline.length) return describeBeyond(lead, first.timeline);
    return definitions(lead.timeline.map(([when, what]) => [when, foreign(what)]));
  }

  function describeHistory(lead) {
    const today = { day: "this list", win: lead.win, tier: lead.tier };
    const points = [...lead.history, today];
    if (points.length < 2) return null;
    const rows = points.map((point) => element("tr", {},
      element("th", { scope: "row" }, point.day),
      element("td", { class: "n" }, `${point.win.toFixed(1)}%`),
      element("td", {}, badge(point.tier))));
    const head = element("thead", {}, element("tr", {},
      element("th", { scope: "col" }, "list"),
      element("th", { scope: "col", class: "n" }, "win"),
      element("th", { scope: "col" }, "tier")));
    const numbers = element("table", { class: "dense" }, head, element("tbody", {}, ...rows));
    return element("div", {}, drawLine(points), numbers);
  }

  function drawLine(points) {
    const most = Math.max(...points.map((point) => point.win), 1);
    const places = points.map((point, at) => {
      const x = (100 * at) / (points.length - 1);
      return `${x.toFixed(1)} ${(38 - (36 * point.win) / most).toFixed(1)}`;
    });
    const frame = { class: "spark", viewBox: "0 0 100 40", preserveAspectRatio: "none", "aria-hidden": "true" };
    return draw("svg", frame, draw("path", { d: `M${places.join("L")}` }));
  }

  function draw(name, attributes, ...children) {
    const drawn = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) drawn.setAttribute(key, value);
    drawn.append(...children);
    return drawn;
  }

  // Mouse and keys

  function focusNeighbour(button, by) {
    const buttons = [...body.querySelectorAll("button.lead")];
    const next = buttons[buttons.indexOf(button) + by];
    if (next) next.focus();
  }

  function onKey(event) {
    const at = event.target;
    const isTyping = at.matches("input, select, textarea");
    if (event.key === "/" && !isTyping && !panel.open) {
      event.preventDefault();
      byId("search").focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const by = event.key === "ArrowDown" ? 1 : -1;
      if (panel.open || !at.matches("#leads button.lead, #search")) return;
      event.preventDefault();
      focusNeighbour(at, by);
    }
  }

  function prepareHeader() {
    for (const cell of columns.filter((cell) => cell.dataset.sort)) {
      cell.dataset.label = cell.textContent;
      const button = element("button", { type: "button" }, cell.textContent);
      button.addEventListener("click", () => sortBy(cell.dataset.sort));
      cell.replaceChildren(button);
    }
  }

  function listen() {
    document.addEventListener("keydown", onKey);
    document.addEventListener("click", (event) => {
      const button = event.target.closest("button.lead");
      if (button) open(leads[Number(button.dataset.rank) - 1]);
      if (event.target === panel) panel.close();
    });
    byId("filters").addEventListener("input", refresh);
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filters").addEventListener("reset", clear);
    byId("back").addEventListener("click", () => turn(-1));
    byId("next").addEventListener("click", () => turn(1));
    byId("before").addEventListener("click", () => step(-1));
    byId("after").addEventListener("click", () => step(1));
    byId("close").addEventListener("click", () => panel.close());
    window.addEventListener("beforeprint", () => show(0, PRINTED));
    window.addEventListener("afterprint", () => show());
  }

  const read = await readDocument();
  const leads = decode(read);
  const first = read.first;
  prepareHeader();
  listen();
  byId("filters").hidden = false;
  refresh();
  document.documentElement.dataset.ready = "yes";
})();
