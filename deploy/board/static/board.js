// What a page does after it is there: draws charts, listens for what changed, and follows the form.

const FUNCTIONS = {
  share: (value) => Number(value).toFixed(value === 0 || value === 1 ? 0 : 2).replace(/0$/, ""),
  seconds: (value) => {
    const s = Math.abs(value), sign = value < 0 ? "−" : "";
    if (s < 60) return `${sign}${+s.toFixed(s < 10 ? 1 : 0)} s`;
    if (s < 3600) return `${sign}${Math.round(s / 60)} min`;
    if (s < 86400) return `${sign}${+(s / 3600).toFixed(1)} h`;
    return `${sign}${+(s / 86400).toFixed(1)} d`;
  },
  bytes: (value) => {
    let left = value, place = 0;
    while (Math.abs(left) >= 1024 && place < 4) { left /= 1024; place += 1; }
    return `${+left.toFixed(1)} ${["B", "KiB", "MiB", "GiB", "TiB"][place]}`;
  },
  notes: (points) => {
    const list = Array.isArray(points) ? points : [points];
    const lines = list.map((point) => {
      const value = Array.isArray(point.value) ? point.value[point.value.length - 1] : point.value;
      const said = point.data && point.data.note ? point.data.note : value;
      if (said === null || said === undefined) return null;
      const line = [point.seriesName, said].filter(Boolean).join(": ");
      return line.length > 70 ? `${point.seriesName}\n    ${said}` : line; // the canvas does not wrap
    }).filter((line) => line !== null);
    const head = String(list[0]?.axisValueLabel ?? list[0]?.name ?? "").replace(/ 00:00:00$/, "");
    return [head, ...lines].filter(Boolean).join("\n");
  },
  note: (point) => (point.data && point.data.note) || point.name || "",
};

const charts = new Map(); // panel key → option as the server sent it
const kept = new Map(); // those of panels that wait for an answer
let echarts = null;

// ---- charts -------------------------------------------------------------------------------------------------------

// Colours of the theme for their names, and functions for theirs; what the store said is never a function.
function themed(value, style, place = "") {
  if (Array.isArray(value)) return value.map((one) => themed(one, style));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, themed(one, style, name)]));
  }
  if (typeof value !== "string") return value;
  if (place === "formatter" && value.startsWith("fn:") && Object.hasOwn(FUNCTIONS, value.slice(3))) return FUNCTIONS[value.slice(3)];
  if (value === "inherit") return style.fontFamily;
  const named = /^var\((--[a-z0-9-]+)\)$/.exec(value);
  return named ? style.getPropertyValue(named[1]).trim() : value;
}

const resized = new ResizeObserver((entries) => {
  for (const entry of entries) echarts?.getInstanceByDom(entry.target)?.resize();
});

function drawCharts(keys) {
  if (!echarts) return;
  const style = getComputedStyle(document.body);
  for (const place of document.querySelectorAll("[data-chart]")) {
    const key = place.dataset.chart, option = charts.get(key);
    if (!option || (keys && !keys.has(key))) continue;
    let chart = echarts.getInstanceByDom(place);
    if (!chart) {
      chart = echarts.init(place, null, { renderer: "canvas" });
      resized.observe(place);
    }
    chart.setOption(themed(option, style), { replaceMerge: ["series", "xAxis", "yAxis"] });
  }
}

function keepCharts(given) {
  for (const [key, option] of Object.entries(given)) option ? charts.set(key, option) : charts.delete(key);
  return new Set(Object.keys(given));
}

// ---- parts of the page --------------------------------------------------------------------------------------------

// Changes what differs and leaves the rest alone: focus, scrolling, open details and selected text survive.
function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.dataset.chart && old.dataset.chart === fresh.dataset.chart) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.nodeName === "INPUT") old.checked = fresh.checked;
  morphChildren(old, fresh);
}

function morphChildren(old, fresh) {
  const before = [...old.childNodes], after = [...fresh.childNodes];
  after.forEach((node, place) => (before[place] ? morph(before[place], node) : old.append(node)));
  before.slice(after.length).forEach((node) => node.remove());
}

const shortDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const withSeconds = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

// Times of day are written in the reader's own zone; whole days are those of the figures and stay.
function localTimes(root) {
  const today = new Date().toDateString();
  for (const time of root.querySelectorAll("time[datetime]:not([data-whole-day])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const days = at.toDateString() === today ? "" : `${shortDay.format(at)} `;
    time.textContent = days + clockTime.format(at);
    time.title = at.toISOString();
  }
}

function showPart(id, html) {
  const place = document.getElementById(id);
  if (!place || (id === "controls" && place.contains(document.activeElement))) return;
  const template = document.createElement("template");
  template.innerHTML = html;
  localTimes(template.content);
  morphChildren(place, template.content);
  place.classList.remove("stale");
  place.removeAttribute("aria-busy");
}

// ---- live ---------------------------------------------------------------------------------------------------------

let socket = null, retryMs = 500, retry = 0;

function listen() {
  clearTimeout(retry);
  socket?.close();
  if (document.hidden) return; // nobody looks: nothing is asked
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = new WebSocket(`${scheme}://${location.host}${document.body.dataset.live}${location.search}`);
  socket = mine;
  mine.onmessage = ({ data }) => {
    if (mine !== socket) return;
    retryMs = 500;
    show(JSON.parse(data));
  };
  mine.onclose = () => {
    if (mine !== socket || document.hidden) return;
    document.body.classList.add("cut-off");
    showLooked();
    retry = setTimeout(listen, retryMs);
    retryMs = Math.min(retryMs * 2, 8000);
  };
}

const looked = { at: null, every: "" };

function show(message) {
  document.body.classList.remove("cut-off");
  const drawn = message.charts ? keepCharts(message.charts) : null;
  for (const [id, html] of Object.entries(message.parts ?? {})) showPart(id, html);
  if (drawn) drawCharts(drawn);
  if (message.looked) {
    looked.at = new Date(message.looked);
    looked.every = message.every;
    showLooked();
  }
}

function showLooked() {
  const place = document.getElementById("looked");
  if (document.body.classList.contains("cut-off")) place.textContent = "The board does not answer; trying again …";
  else if (looked.at) place.textContent = `looked at ${withSeconds.format(looked.at)}, ${looked.every}`;
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) listen();
  else { clearTimeout(retry); socket?.close(); socket = null; }
});

// ---- the form -----------------------------------------------------------------------------------------------------

function chosenLink(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (name === "from" && value === "custom") continue;
    if (value !== "") query.append(name, value);
  }
  if (form.elements.from?.value === "custom") {
    for (const [id, word] of [["first-day", "from"], ["last-day", "to"]]) {
      const value = document.getElementById(id)?.value;
      if (value) query.append(word, value);
    }
  }
  if (new URLSearchParams(location.search).get("wall") === "1") query.set("wall", "1");
  const text = query.toString();
  return form.getAttribute("action") + (text ? `?${text}` : "");
}

// Another choice: the page of that link is fetched and what differs is shown, so that focus stays where it is.
let going = null;
async function go(link, push) {
  going?.abort();
  going = new AbortController();
  try {
    const response = await fetch(link, { signal: going.signal, headers: { Accept: "text/html" } });
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    if (push) history.pushState(null, "", link);
    replacePage(fresh);
  } catch (error) {
    if (error.name !== "AbortError") location.assign(link);
  }
}

function replacePage(fresh) {
  const focused = document.activeElement?.id;
  document.title = fresh.title;
  document.body.dataset.live = fresh.body.dataset.live;
  document.body.className = `${fresh.body.className} scripted`;
  localTimes(fresh);
  keepWhileLooking(fresh);
  for (const id of ["tabs", "controls", "main"]) {
    const old = document.getElementById(id), next = fresh.getElementById(id);
    if (id === "controls") old.setAttribute("action", next.getAttribute("action"));
    if (id === "main" && old.querySelector("h1")?.textContent !== next.querySelector("h1")?.textContent) scrollTo(0, 0);
    morphChildren(old, next);
  }
  syncForm();
  charts.clear();
  keepCharts({ ...Object.fromEntries(kept), ...JSON.parse(fresh.getElementById("charts").textContent) });
  kept.clear();
  disposeGone();
  drawCharts();
  if (focused) document.getElementById(focused)?.focus();
  listen();
}

// What was there stays, dimmed, until the new choice is answered: a page that empties itself is hard to follow.
function keepWhileLooking(fresh) {
  for (const waiting of fresh.querySelectorAll(".body > .waiting")) {
    const body = waiting.parentElement, before = document.getElementById(body.id);
    if (!before || before.querySelector(".waiting")) continue;
    body.innerHTML = before.innerHTML;
    body.setAttribute("aria-busy", "true");
    body.classList.add("stale");
    const key = body.querySelector("[data-chart]")?.dataset.chart;
    if (key && charts.has(key)) kept.set(key, charts.get(key));
  }
}

function disposeGone() {
  for (const place of document.querySelectorAll("[data-chart]")) {
    if (!charts.has(place.dataset.chart)) echarts?.getInstanceByDom(place)?.dispose();
  }
}

// Attributes say what the server chose; properties are what the browser shows.
function syncForm() {
  for (const option of document.querySelectorAll("#controls option")) {
    const chosen = option.hasAttribute("selected");
    if (option.selected !== chosen) option.selected = chosen;
  }
}

let pause = 0;
const form = document.getElementById("controls");
form?.addEventListener("submit", (event) => { event.preventDefault(); go(chosenLink(form), true); });
form?.addEventListener("change", (event) => {
  const custom = document.getElementById("custom-period");
  if (custom) custom.hidden = form.elements.from?.value !== "custom";
  if (event.target.id === "choose-from" && event.target.value === "custom") {
    document.getElementById("first-day")?.focus();
    return;
  }
  clearTimeout(pause);
  pause = setTimeout(() => go(chosenLink(form), true), 250); // arrow keys pass many values
});
addEventListener("popstate", () => go(location.pathname + location.search, false));
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.several[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
  const link = event.target.closest?.("#tabs a, a.tie");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.getAttribute("href"), true).then(() => {
    if (link.hash) document.querySelector(link.hash)?.scrollIntoView();
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.activeElement?.closest("details.several[open]");
  if (open) { open.open = false; open.querySelector("summary").focus(); }
});

// ---- light and dark -----------------------------------------------------------------------------------------------

const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
function showTheme() {
  document.getElementById("theme")?.setAttribute("aria-pressed", String(isDark()));
  drawCharts();
}
document.getElementById("theme")?.addEventListener("click", () => {
  const next = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  document.cookie = `theme=${next}; path=/; max-age=31536000; SameSite=Strict`;
  showTheme();
});
system.addEventListener("change", showTheme);

// ---- start --------------------------------------------------------------------------------------------------------

document.body.classList.add("scripted");
localTimes(document);
const given = document.getElementById("charts");
if (given) {
  keepCharts(JSON.parse(given.textContent));
  listen();
  ({ echarts } = await import(document.body.dataset.echarts));
  showTheme();
}
