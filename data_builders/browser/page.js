"use strict";
// Rows are untrusted: everything they say becomes a text node, never markup.
const { rows, images, embedded, total } = JSON.parse(document.getElementById("data").textContent);
const PER_PAGE = 20, FIELDS = ["part", "label", "category", "images", "q"], PICKED = ["part", "label", "category"];
const at = (id) => document.getElementById(id);
const state = { found: [], place: -1, page: 0, words: [], focus: "" };

function make(tag, name, ...inside) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...inside);
  return made;
}

const texts = rows.map((row) => {
  const rejected = row.rejected ? [row.rejected.thought, row.rejected.answer] : [];
  const said = [row.id, ...row.turns.map((turn) => turn.text), row.thought, row.answer, ...rejected];
  return said.filter((text) => text !== null).join("\n").toLowerCase();
});
const counts = rows.map((row) => row.turns.reduce((sum, turn) => sum + turn.images.length, 0));
const places = new Map(rows.map((row, place) => [row.id, place]));

function fits(row, place) {
  if (PICKED.some((name) => at(name).value && row[name] !== at(name).value)) return false;
  const wanted = at("images").value, count = counts[place];
  if ((wanted === "some" && !count) || (wanted === "many" && count < 2) || (wanted === "none" && count)) return false;
  return state.words.every((word) => texts[place].includes(word));
}

// The address: #row=...&part=...&q=... so that a row, or what a filter finds, can be pointed at.
function address(id) {
  const said = new URLSearchParams();
  if (id) said.set("row", id);
  for (const name of FIELDS) if (at(name).value) said.set(name, at(name).value);
  return "#" + said.toString();
}

function filter(keep) {
  state.words = at("q").value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [];
  rows.forEach((row, place) => { if (fits(row, place)) found.push(place); });
  state.found = found;
  const shown = state.place >= 0 && (keep || found.includes(state.place)) ? state.place : found.length ? found[0] : -1;
  open(shown);
}

function open(place) {
  state.place = place;
  state.page = Math.max(0, Math.floor(state.found.indexOf(place) / PER_PAGE));
  drawList();
  drawRow();
}

function go(id) {
  history.pushState(null, "", address(id)); // which, unlike a new hash, tells nobody later: keys may come fast
  follow();
}

function step(by) {
  const here = state.found.indexOf(state.place), next = state.found[here + by];
  if (next !== undefined) go(rows[next].id);
}

function tally() {
  const here = state.found.indexOf(state.place), count = state.found.length.toLocaleString("en");
  const of = rows.length.toLocaleString("en") + (rows.length < total ? " shown rows" : " rows");
  at("status").textContent = `${count} of ${of} match` + (here >= 0 ? `; this is number ${(here + 1).toLocaleString("en")}.` : ".");
}

function drawList() {
  const first = state.page * PER_PAGE, pages = Math.max(1, Math.ceil(state.found.length / PER_PAGE));
  at("list").start = first + 1;
  at("list").replaceChildren(...state.found.slice(first, first + PER_PAGE).map((place) => {
    const row = rows[place], link = make("a", "", tag(row.label), " " + row.turns[row.turns.length - 1].text.slice(0, 120));
    link.href = address(row.id);
    link.append(make("small", "", `${row.id}${counts[place] ? ` · ${counts[place]} image${counts[place] > 1 ? "s" : ""}` : ""}`));
    link.addEventListener("click", () => { state.focus = "reader"; });
    if (place === state.place) link.setAttribute("aria-current", "true");
    return make("li", "", link);
  }));
  const here = at("list").querySelector("[aria-current]");
  if (here) at("list").scrollTop = here.parentElement.offsetTop - at("list").offsetTop - 60;
  at("page-place").textContent = `page ${state.page + 1} of ${pages}`;
  at("page-back").disabled = state.page === 0;
  at("page-on").disabled = state.page + 1 >= pages;
  tally();
}

const tag = (label) => make("span", "tag " + (label === "harmful" || label === "benign" ? label : ""), label);

function marked(text) {
  const said = make("p", "said");
  said.dir = "auto";
  if (!state.words.length) { said.append(text); return said; }
  const any = new RegExp(state.words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "gi");
  let from = 0;
  for (const hit of text.matchAll(any)) {
    said.append(text.slice(from, hit.index), make("mark", "", hit[0]));
    from = hit.index + hit[0].length;
  }
  said.append(text.slice(from));
  return said;
}

function figure(number, count, place) {
  const image = images[number], box = make("figure", "");
  if (image.uri) {
    const shown = make("img", "");
    shown.src = image.uri;
    shown.alt = `Image ${place + 1} of ${count}: ${image.name}`;
    box.append(shown);
  }
  const missing = embedded ? " (cannot be read any more)" : " (not in this page)";
  box.append(make("figcaption", "quiet", image.name, image.uri ? ` · ${image.width}×${image.height}` : missing));
  return box;
}

function said(title, text, name) {
  const words = text.split(/\s+/).filter(Boolean).length;
  const heading = make("h3", "", title, " ", make("span", "quiet", `${words} word${words === 1 ? "" : "s"}`));
  return make("section", "side " + name, heading, text ? marked(text) : make("p", "quiet", "Empty."));
}

function completion(row, thought, answer, rejected) {
  const name = rejected ? "rejected " : "", before = rejected ? "Rejected " : row.rejected ? "Chosen " : "";
  const title = (word) => before ? before + word.toLowerCase() : word;
  const parts = thought === null ? [] : [said(title("Thought"), thought, name + "thought")];
  return [...parts, said(title("Answer"), answer, name + "answer")];
}

function drawRow() {
  const reader = at("reader");
  if (state.place < 0) {
    const asked = new URLSearchParams(location.hash.slice(1)).get("row");
    const unknown = asked && !places.has(asked);
    reader.replaceChildren(make("p", "quiet", unknown ? `${asked} is not among the ${rows.length} rows of this page.` : "No row matches."));
    return;
  }
  const row = rows[state.place], here = state.found.indexOf(state.place);
  const move = (text, by) => {
    const button = make("button", "", text);
    button.type = "button";
    button.id = by < 0 ? "previous" : "next";
    button.disabled = here < 0 || state.found[here + by] === undefined;
    button.addEventListener("click", () => { state.focus = button.id; step(by); });
    return button;
  };
  const facts = [tag(row.label), make("span", "tag", row.part), make("span", "tag", row.category)];
  const from = make("span", "quiet", `from ${row.source}${here < 0 ? " · not among the matches" : ""}`);
  const title = make("h2", "", row.id);
  const head = make("div", "head", make("div", "", title, make("p", "facts", ...facts, from)), make("div", "pager", move("Previous", -1), move("Next", 1)));
  const numbers = row.turns.flatMap((turn) => turn.images);
  const figures = numbers.map((number, place) => figure(number, numbers.length, place));
  let before = 0;
  const turns = row.turns.map((turn, place) => {
    const last = place + 1 === row.turns.length, many = row.turns.length > 1;
    const refers = many && turn.images.length ? turn.images.map((_, n) => `image ${before + n + 1}`).join(", ") : "";
    before += turn.images.length;
    const heading = make("h3", "", last ? "Prompt" : `Before: ${turn.role}`, " ", make("span", "quiet", refers));
    return make("section", "side turn " + (last ? "prompt" : "earlier"), heading, marked(turn.text));
  });
  const columns = make("div", "columns" + (figures.length ? " pictured" : ""));
  if (figures.length) columns.append(make("div", "pictures", ...figures));
  const answers = make("div", "answers", ...completion(row, row.thought, row.answer, false));
  if (row.rejected) answers.append(...completion(row, row.rejected.thought, row.rejected.answer, true));
  columns.append(make("div", "words", make("div", "turns", ...turns), answers));
  reader.replaceChildren(head, columns);
  // What was pressed has been drawn anew; where it cannot be pressed again, the row itself is next.
  if (state.focus) (at(state.focus).disabled ? reader : at(state.focus)).focus();
  state.focus = "";
}

function options() {
  for (const name of PICKED) {
    const tally = new Map();
    for (const row of rows) tally.set(row[name], (tally.get(row[name]) || 0) + 1);
    for (const value of [...tally.keys()].sort()) at(name).append(new Option(`${value} (${tally.get(value)})`, value));
  }
}

// From the address to the page: on opening, and on back and forward.
function follow() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const known = asked.has("row") || FIELDS.some((name) => asked.has(name));
  if (!known && location.hash.length > 1) { if (state.place < 0 && !state.found.length) filter(false); return; }
  for (const name of FIELDS) at(name).value = asked.get(name) || "";
  const row = asked.get("row");
  state.place = row && places.has(row) ? places.get(row) : -1;
  filter(state.place >= 0);
  if (row && !places.has(row)) open(-1);
}

function changed() {
  filter(false);
  history.replaceState(null, "", address(state.place < 0 ? "" : rows[state.place].id));
}

function turn(by) {
  state.page += by;
  drawList();
}

let waiting = 0;
at("q").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(changed, 120); });
at("filter").addEventListener("change", (event) => { if (event.target !== at("q")) changed(); });
at("filter").addEventListener("submit", (event) => { event.preventDefault(); changed(); });
at("filter").addEventListener("reset", () => setTimeout(changed));
at("page-back").addEventListener("click", () => turn(-1));
at("page-on").addEventListener("click", () => turn(1));
addEventListener("hashchange", follow);
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "/") { event.preventDefault(); at("q").focus(); }
});
options();
follow();
