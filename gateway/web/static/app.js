"use strict";
// The dashboard's one script: theme, keys on the map of duties, and refusals told in place. Pages work without it.

const root = document.documentElement;
const THEMES = ["auto", "light", "dark"];

function theme(button) {
  const show = () => { button.textContent = button.dataset[root.dataset.theme]; };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
    root.dataset.theme = next;
    document.cookie = `theme=${next}; Path=/; Max-Age=31536000; SameSite=Lax`;
    show();
    document.dispatchEvent(new Event("themed"));
  });
  show();
}

// Arrow keys walk the cells of a grid; Tab leaves it.
function keys(grid) {
  const rows = [...grid.tBodies[0].rows].map((row) => [...row.querySelectorAll("td > a")]);
  rows.flat().forEach((cell, i) => { cell.tabIndex = i ? -1 : 0; });
  grid.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const y = rows.findIndex((row) => row.includes(document.activeElement));
    if (!step || y < 0) return;
    const next = rows[y + step[0]]?.[rows[y].indexOf(document.activeElement) + step[1]];
    if (!next) return;
    document.activeElement.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    event.preventDefault();
  });
}

// A chart's element holds what to draw; colours come from the style sheet, so that the theme holds for charts too.
function draw(box) {
  const { x, series } = JSON.parse(box.dataset.chart);
  const style = getComputedStyle(root);
  const hue = (name) => style.getPropertyValue(`--${name}`).trim();
  const text = { color: hue("faint"), fontFamily: style.getPropertyValue("--sans"), fontSize: 11 };
  const plot = echarts.getInstanceByDom(box) ?? echarts.init(box, null, { renderer: "canvas" });
  plot.setOption({
    animation: false,
    grid: { left: 44, right: 8, top: 26, bottom: 24 },
    legend: { right: 0, top: 0, itemWidth: 10, itemHeight: 8, textStyle: text, show: series.length > 1 },
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: hue("paper"), borderColor: hue("line-strong"), textStyle: { ...text, color: hue("ink"), fontSize: 12 } },
    xAxis: { type: "category", data: x, axisLabel: text, axisTick: { show: false }, axisLine: { lineStyle: { color: hue("line-strong") } } },
    yAxis: { type: "value", minInterval: 1, axisLabel: text, splitLine: { lineStyle: { color: hue("line") } } },
    series: series.map((each) => ({
      name: each.name, type: each.type, data: each.data, barMaxWidth: 14, symbolSize: 4, lineStyle: { width: 1.5 }, itemStyle: { color: hue(each.tone) },
    })),
  });
}

function charts() {
  const boxes = [...document.querySelectorAll("[data-chart]")];
  if (!boxes.length || !window.echarts) return;
  const all = () => boxes.forEach(draw);
  all();
  document.addEventListener("themed", all);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  new ResizeObserver(() => boxes.forEach((box) => echarts.getInstanceByDom(box)?.resize())).observe(document.body);
}

charts();
document.querySelectorAll("form[data-auto]").forEach((form) => form.addEventListener("change", () => form.requestSubmit()));
theme(document.getElementById("theme"));
document.querySelectorAll('[data-keys="grid"]').forEach(keys);

// One step at a time is open; Escape closes it.
document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.("details.confirm[open]")) return;
  document.querySelectorAll("details.confirm[open]").forEach((other) => { if (other !== event.target) other.open = false; });
  event.target.querySelector("form :is(input, select, textarea):not([type=hidden])")?.focus();
}, true);
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector("details.confirm[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

// What htmx sends says that a page of ours sent it, and whether the page did so by itself.
document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = document.querySelector('meta[name="csrf"]').content;
  if (event.detail.elt.getAttribute("hx-trigger")?.includes("every")) event.detail.headers["X-Background"] = "1";
});

document.addEventListener("htmx:responseError", (event) => {
  let told = event.detail.xhr.statusText;
  try { told = JSON.parse(event.detail.xhr.responseText).detail; } catch { /* not ours: its status says enough */ }
  document.getElementById("told").textContent = told;
});
