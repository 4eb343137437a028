"use strict";

/* The address after '#' is the page's whole state, so every view can be linked to and Back works:
   sample, scenario, hazard, route, verdict, q; and for the viewer: labels, boxes, mask, side. */

const data = JSON.parse(document.getElementById("data").textContent);
const samples = new Map(data.samples.map((sample) => [sample.id, sample]));

const ROUTES = {
  view: "The whole picture, painted from the prompt. Tags were asked for, not seen.",
  texture: "Surfaces of the simulator's world were painted, then it was photographed again.",
  backdrop: "What stands behind was repainted; every other pixel is the simulator's.",
  repaint: "The editable region was repainted over the frame's structure; the rest is untouched.",
};

const FILTERS = {
  scenario: { title: "Scenario", values: (sample) => [sample.scenario] },
  hazard: { title: "Hazard", values: (sample) => sample.hazards },
  route: { title: "Route", values: (sample) => [sample.route], order: data.routes },
  verdict: { title: "Checks", values: (sample) => [sample.passed ? "passed" : "rejected"] },
};

const OVERLAYS = {
  labels: { title: "Labels", key: "l", has: (sample) => sample.labels },
  boxes: { title: "Boxes", key: "b", has: (sample) => sample.boxes.length, preset: "1" },
  mask: { title: "Editable", key: "m", has: (sample) => sample.mask },
  side: { title: "Side by side", key: "s", has: hasFrame },
};

/* Elements */

const byId = (id) => document.getElementById(id);
const words = (name) => name.replaceAll("_", " ");
const source = (key) => data.pictures[key];

function make(tag, properties = {}, ...children) {
  const { data: dataset = {}, style = {}, aria = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, dataset);
  Object.entries(style).forEach(([name, value]) => element.style.setProperty(name, value));
  Object.entries(aria).forEach(([name, value]) => element.setAttribute(`aria-${name}`, value));
  element.append(...children.filter((child) => child !== null));
  return element;
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.append(...children);
  return element;
}

/* State */

const readState = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function addressOf(change) {
  const wanted = Object.entries({ ...readState(), ...change });
  return "#" + new URLSearchParams(wanted.filter(([, value]) => value));
}

function go(change, { keepHistory = false } = {}) {
  const address = addressOf(change);
  if (keepHistory) location.hash = address;
  else location.replace(address);
}

const toggled = (state, name) => (isOn(state, name) ? "0" : "1");
const isOn = (state, name) => (state[name] ?? OVERLAYS[name].preset) === "1";

function matches(sample, state) {
  const chosen = Object.entries(FILTERS).every(
    ([name, filter]) => !state[name] || filter.values(sample).includes(state[name]),
  );
  const text = [sample.id, sample.prompt, ...Object.values(sample.tags).flat()];
  const haystack = text.join(" ").replaceAll("_", " ").toLowerCase();
  const wanted = (state.q ?? "").replaceAll("_", " ").toLowerCase().split(/\s+/);
  return chosen && wanted.every((word) => haystack.includes(word));
}

/* The head and the filters */

function showHead() {
  const all = data.samples;
  const passed = all.filter((sample) => sample.passed).length;
  const count = (values) => new Set(values).size;
  const figures = {
    samples: all.length,
    scenarios: count(all.map((sample) => sample.scenario)),
    hazards: count(all.flatMap((sample) => sample.hazards)),
    passed: `${Math.floor((100 * passed) / all.length)} %`,
  };
  byId("name").textContent = data.name;
  byId("figures").append(
    ...Object.entries(figures).map(([name, value]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, String(value))),
    ),
  );
}

function buildFilters() {
  for (const [name, filter] of Object.entries(FILTERS)) {
    const counts = new Map();
    for (const value of data.samples.flatMap(filter.values)) {
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const values = (filter.order ?? [...counts.keys()].sort()).filter((value) => counts.has(value));
    const chips = values.map((value) =>
      make(
        "button",
        {
          className: "chip",
          data: { filter: name, value },
          onclick: () => go({ [name]: readState()[name] === value ? "" : value }),
        },
        words(value),
        make("span", { className: "count" }, String(counts.get(value))),
      ),
    );
    const title = make("span", { className: "filter-title" }, filter.title);
    const group = make("div", { className: "options" }, ...chips);
    byId("chips").append(make("div", { className: "filter" }, title, group));
  }
}

function showFilters(state) {
  for (const chip of document.querySelectorAll("#chips .chip")) {
    chip.setAttribute("aria-pressed", state[chip.dataset.filter] === chip.dataset.value);
  }
  const chosen = Object.keys(FILTERS).filter((name) => state[name]).map((name) =>
    make(
      "button",
      {
        className: "chip",
        onclick: () => go({ [name]: "" }),
        aria: { pressed: true, label: `${FILTERS[name].title} ${words(state[name])}, remove` },
      },
      `${words(state[name])} ✕`,
    ),
  );
  byId("chosen").replaceChildren(...chosen);
  const search = byId("search");
  if (document.activeElement !== search) search.value = state.q ?? "";
}

/* The contact sheet: scenarios, in them routes, in them cards */

/* Scenarios of no more samples than this share a row on wide screens. */
const HALF_ROW = 4;

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

function card(sample) {
  const picture = make("img", {
    src: source(sample.thumbnail), alt: sample.prompt, loading: "lazy", decoding: "async",
    width: sample.size[1], height: sample.size[0],
  });
  const hazards = sample.hazards.map(words).join(", ");
  return make(
    "a",
    {
      className: "card",
      href: `#sample=${sample.id}`,
      data: { id: sample.id, route: sample.route },
      onclick: (event) => open(event, sample),
      onpointerenter: (event) => peek(event, picture, sample.frame ?? sample.thumbnail),
      onpointerleave: (event) => peek(event, picture, sample.thumbnail),
    },
    make("span", { className: "frame" }, picture),
    sample.passed ? null : make("span", { className: "flag" }, "rejected"),
    make(
      "span",
      { className: "caption" },
      make("b", {}, `${sample.index}`),
      ` ${sample.camera}`,
      make("span", { className: "hazards" }, hazards),
    ),
  );
}

function open(event, sample) {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go({ sample: sample.id }, { keepHistory: true });
}

/* Under the mouse, a card shows what the simulator saw. */
function peek(event, picture, key) {
  if (event.pointerType === "mouse") picture.src = source(key);
}

function buildSheet() {
  for (const [scenario, members] of groupBy(data.samples, (sample) => sample.scenario)) {
    const routes = groupBy(members, (sample) => sample.route);
    const groups = data.routes.filter((route) => routes.has(route)).map((route) =>
      make(
        "div",
        { className: "group", data: { route } },
        make("h3", { title: ROUTES[route] }, route),
        make("div", { className: "cards" }, ...routes.get(route).map(card)),
      ),
    );
    const heading = make("h2", {}, words(scenario), make("span", { className: "tally" }));
    const style = { "--members": members.length, "--gaps": groups.length };
    const body = make("div", { className: "groups", style }, ...groups);
    const className = members.length > HALF_ROW ? "wide" : "";
    byId("sheet").append(make("section", { className, data: { scenario } }, heading, body));
  }
}

function showSheet(state) {
  const visible = new Set(data.samples.filter((sample) => matches(sample, state)));
  for (const element of document.querySelectorAll(".card")) {
    element.hidden = !visible.has(samples.get(element.dataset.id));
  }
  for (const group of document.querySelectorAll(".group")) {
    group.hidden = !group.querySelector(".card:not([hidden])");
  }
  for (const section of document.querySelectorAll("#sheet section")) {
    const count = section.querySelectorAll(".card:not([hidden])").length;
    section.hidden = !count;
    section.querySelector(".tally").textContent = count === 1 ? "1 sample" : `${count} samples`;
  }
  byId("shown").textContent = `${visible.size} of ${data.samples.length}`;
  byId("nothing").hidden = visible.size > 0;
  return [...visible];
}

/* The viewer */

function hasFrame(sample) {
  return sample.frame && sample.frame !== sample.image;
}

function pane(sample, picture, title, state) {
  const [height, width] = sample.size;
  const layers = [make("img", { src: source(picture), alt: `${title}: ${sample.prompt}` })];
  if (isOn(state, "labels") && sample.labels) {
    layers.push(make("img", { className: "labels", src: source(sample.labels), alt: "" }));
  }
  if (isOn(state, "mask") && sample.mask) {
    layers.push(make("img", { className: "mask", src: source(sample.mask), alt: "" }));
  }
  if (isOn(state, "boxes")) layers.push(boxes(sample));
  const caption = make("figcaption", {}, title);
  const style = { "aspect-ratio": `${width} / ${height}` };
  return make("figure", { className: "pane", style }, ...layers, caption);
}

function boxes(sample) {
  const [height, width] = sample.size;
  const marks = sample.boxes.flatMap(({ kind, hazard, box: [x, y, w, h] }) => {
    const rectangle = svg("rect", { x, y, width: w, height: h, class: hazard ? "hazard" : "" });
    const size = width / 34;
    const place = { x, y: y > size * 1.4 ? y - size * 0.35 : y + h + size, "font-size": size };
    return hazard ? [rectangle, svg("text", place, words(kind))] : [rectangle];
  });
  return svg("svg", { class: "boxes", viewBox: `0 0 ${width} ${height}` }, ...marks);
}

function showPanes(sample, state) {
  const panes = document.querySelector(".panes");
  const side = hasFrame(sample) && isOn(state, "side");
  const slide = hasFrame(sample) && !side;
  const moved = panes.dataset.sample === sample.id && panes.style.getPropertyValue("--split");
  const split = moved || `${clearOf(sample)}%`;
  panes.dataset.sample = sample.id;
  panes.className = `panes ${side ? "side" : slide ? "slide" : "single"}`;
  panes.style.setProperty("--split", split);
  panes.style.setProperty("--ratio", sample.size[1] / sample.size[0]);
  const made = sample.route === "texture" ? "Painted world" : "HART";
  const figures = [pane(sample, sample.image, made, state)];
  if (hasFrame(sample)) figures.unshift(pane(sample, sample.frame, "Simulator", state));
  panes.replaceChildren(...figures, ...(slide ? [slider(panes, split)] : []));
}

/* Percent from the left, near the middle, where the line between the pictures hides no hazard. */
function clearOf(sample) {
  const percent = 100 / sample.size[1];
  const hidden = sample.boxes
    .filter((each) => each.hazard)
    .map(({ box: [x, , w] }) => [x * percent - 3, (x + w) * percent + 3]);
  const places = Array.from({ length: 17 }, (_, k) => 50 + (k % 2 ? -5 : 5) * Math.ceil(k / 2));
  return places.find((p) => hidden.every(([low, high]) => p < low || p > high)) ?? 50;
}

function slider(panes, split) {
  const input = make("input", {
    type: "range", min: 0, max: 100, step: 0.5, value: parseFloat(split), className: "slider",
    oninput: (event) => panes.style.setProperty("--split", `${event.target.value}%`),
    aria: { label: "Compare the simulator's frame with the render" },
  });
  return make("div", { className: "sliding" }, make("span", { className: "handle" }), input);
}

function buildToolbar() {
  const buttons = Object.entries(OVERLAYS).map(([name, overlay]) =>
    make(
      "button",
      {
        className: "toggle",
        data: { overlay: name },
        onclick: () => go({ [name]: toggled(readState(), name) }),
        aria: { keyshortcuts: overlay.key },
      },
      overlay.title,
      make("kbd", {}, overlay.key.toUpperCase()),
    ),
  );
  document.querySelector(".toolbar").append(...buttons);
}

function showToolbar(sample, state) {
  for (const button of document.querySelectorAll(".toggle")) {
    const { overlay } = button.dataset;
    button.setAttribute("aria-pressed", isOn(state, overlay));
    button.hidden = !OVERLAYS[overlay].has(sample);
  }
}

function legend(sample) {
  const entries = sample.classes.map((id) => {
    const unknown = id === data.unknown;
    const { name, colour } = unknown ? { name: "unknown", colour: UNKNOWN } : data.classes[id];
    const swatch = make("i", { style: { background: colour } });
    return make("li", {}, swatch, words(name));
  });
  return make("ul", { className: "legend" }, ...entries);
}

function tiles(sample) {
  const figures = Object.entries(sample.textures).map(([surface, picture]) => {
    const style = { "background-image": `url("${source(picture)}")` };
    const label = `${surface}, 2 by 2`;
    const tile = make("div", { className: "tile", style, role: "img", ariaLabel: label });
    return make("figure", {}, tile, make("figcaption", {}, words(surface)));
  });
  return figures.length ? make("div", { className: "tiles" }, ...figures) : null;
}

function siblings(sample) {
  const same = data.samples.filter(
    (other) => other.scenario === sample.scenario && other.index === sample.index,
  );
  if (same.length < 2) return null;
  same.sort((a, b) => data.routes.indexOf(a.route) - data.routes.indexOf(b.route));
  const links = same.map((other) =>
    make(
      "a",
      {
        href: addressOf({ sample: other.id }),
        data: { route: other.route },
        aria: { current: other === sample },
      },
      make("img", { src: source(other.thumbnail), alt: "" }),
      `${other.route}`,
    ),
  );
  return make("div", { className: "siblings", aria: { label: "The same scene" } }, ...links);
}

function showBelow(sample, state) {
  const parts = [
    isOn(state, "labels") && sample.labels ? legend(sample) : null,
    tiles(sample),
    siblings(sample),
  ];
  document.querySelector(".below").replaceChildren(...parts.filter(Boolean));
}

function part(title, ...content) {
  return make("section", {}, make("h4", {}, title), ...content);
}

function pairs(entries) {
  const rows = entries.map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value)),
  );
  return make("dl", { className: "pairs" }, ...rows);
}

const shortNumber = (value) =>
  typeof value === "number" && !Number.isInteger(value) ? value.toPrecision(3) : String(value);

function checkRow({ name, passed, value, limit, reason }) {
  const mark = { className: "mark", aria: { label: passed ? "passed" : "failed" } };
  const bound = make("small", {}, `limit ${shortNumber(limit)}`);
  return make(
    "li",
    { className: passed ? "good" : "bad" },
    make("span", mark, passed ? "✓" : "✕"),
    make("span", { className: "check" }, words(name), make("small", {}, reason)),
    make("span", { className: "value" }, shortNumber(value), bound),
  );
}

function verdictOf(checks) {
  const failed = checks.filter((check) => !check.passed);
  const text = failed.length
    ? `${failed.length} of ${checks.length} checks failed`
    : `${checks.length} checks passed`;
  const className = failed.length ? "verdict bad" : "verdict good";
  const reasons = failed.map((check) => make("p", { className: "why" }, check.reason));
  return [make("p", { className }, text), ...reasons];
}

function tagsOf(sample) {
  const tags = Object.entries(sample.tags).flatMap(([group, names]) =>
    names.map((name) => make("span", { className: "tag", title: group }, words(name))),
  );
  const title = sample.route === "view" ? "Asked for" : "Tags";
  return part(title, make("p", { className: "tags" }, ...tags));
}

function showFacts(sample) {
  const which = `scene ${sample.index} · ${sample.camera} camera · seed ${sample.seed}`;
  const note = make("p", { className: "note" }, ROUTES[sample.route]);
  const drawn = Object.entries(sample.drawn).map(([name, value]) => [name, shortNumber(value)]);
  const about = Object.entries({
    id: sample.id,
    size: sample.size.join(" × "),
    attempt: String(sample.attempt + 1),
    avoided: sample.negative || "nothing",
  });
  document.querySelector(".facts").replaceChildren(
    make("p", { className: "route", data: { route: sample.route } }, sample.route),
    make("h2", { id: "viewer-title" }, words(sample.scenario)),
    make("p", { className: "which" }, which),
    ...verdictOf(sample.checks),
    part("Prompt", make("blockquote", {}, sample.prompt), note),
    part("Drawn", pairs(drawn)),
    tagsOf(sample),
    part("Checks", make("ul", { className: "checks" }, ...sample.checks.map(checkRow))),
    part("Sample", pairs(about)),
  );
}

function showViewer(state) {
  const viewer = byId("viewer");
  const sample = samples.get(state.sample);
  if (!sample) {
    viewer.close();
    return;
  }
  showToolbar(sample, state);
  showPanes(sample, state);
  showBelow(sample, state);
  showFacts(sample);
  if (viewer.open) return;
  viewer.showModal();
  viewer.focus();
}

/* Turning pages */

let visible = [];

function turn(step) {
  const here = visible.findIndex((sample) => sample.id === readState().sample);
  const next = visible[(here + step + visible.length) % visible.length];
  if (next) go({ sample: next.id });
}

function close() {
  const { sample } = readState();
  go({ sample: "" });
  document.querySelector(`.card[data-id="${CSS.escape(sample)}"]`)?.focus();
}

function onKey(event) {
  const { sample } = readState();
  if (!sample || event.metaKey || event.ctrlKey || event.altKey) return;
  const sliding = event.target.type === "range";
  if (event.key === "ArrowLeft" && !sliding) turn(-1);
  if (event.key === "ArrowRight" && !sliding) turn(1);
  for (const [name, overlay] of Object.entries(OVERLAYS)) {
    if (event.key.toLowerCase() === overlay.key) go({ [name]: toggled(readState(), name) });
  }
}

/* Label maps hold class ids as grey levels; this table of 256 colours shows them without copies. */

const UNKNOWN = "#171b22";

function buildColours() {
  const colours = Array.from({ length: 256 }, (_, id) => data.classes[id]?.colour ?? UNKNOWN);
  for (const [position, channel] of ["R", "G", "B"].entries()) {
    const at = 1 + 2 * position;
    const levels = colours.map((colour) => parseInt(colour.slice(at, at + 2), 16) / 255);
    const tableValues = levels.map((level) => level.toFixed(4)).join(" ");
    const table = { type: "discrete", tableValues };
    byId("class-tables").append(svg(`feFunc${channel}`, table));
  }
}

function show() {
  const state = readState();
  showFilters(state);
  visible = showSheet(state);
  showViewer(state);
}

function start() {
  buildColours();
  showHead();
  buildFilters();
  buildSheet();
  buildToolbar();
  byId("search").oninput = (event) => go({ q: event.target.value });
  byId("reset").onclick = () => location.replace("#");
  byId("previous").onclick = () => turn(-1);
  byId("next").onclick = () => turn(1);
  byId("close").onclick = close;
  byId("viewer").oncancel = (event) => { event.preventDefault(); close(); };
  byId("viewer").onclick = (event) => { if (event.target === byId("viewer")) close(); };
  addEventListener("keydown", onKey);
  addEventListener("hashchange", show);
  show();
}

start();
