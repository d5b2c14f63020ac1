"use strict";
const report = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const percent = (share, digits = 0) => (share == null ? "–" : (100 * share).toFixed(digits) + "%");
const whole = (number) => number.toLocaleString("en-US");

// Sorting tables by a click on a heading.
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("thead th:not(.bar)").forEach((heading) => {
    const button = make("button", { type: "button", textContent: heading.textContent });
    heading.replaceChildren(button);
    button.addEventListener("click", () => sortBy(table, heading));
  });
}

function sortBy(table, heading) {
  const at = heading.cellIndex;
  const down = heading.getAttribute("aria-sort") !== "descending";
  for (const other of table.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = (row) => row.cells[at].textContent.trim();
  const number = (text) => (text === "–" ? -1 : parseFloat(text.replaceAll(",", "")));
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const numeric = rows.every((row) => !Number.isNaN(number(value(row))));
  const compare = numeric
    ? (a, b) => number(value(a)) - number(value(b))
    : (a, b) => value(b).localeCompare(value(a), "en", { numeric: true });
  body.append(...rows.sort((a, b) => (down ? -compare(a, b) : compare(a, b))));
}

// The slider under the histogram: what is left when the labels below it are dropped.
const slider = document.querySelector(".slider");
if (slider && report.kept[0] > 0) {
  slider.hidden = false;
  const input = byId("threshold");
  const shade = byId("abstained");
  const mark = byId("abstained-mark");
  const show = () => {
    const at = Number(input.value);
    const kept = report.kept[at];
    const share = percent(kept / report.kept[0], 1);
    let words = `With at least ${at}% confidence, ${whole(kept)} of ${whole(report.kept[0])} propagated labels are kept (${share})`;
    if (kept) words += `, ${percent(report.expected[at], 1)} of them expected to be right`;
    if (kept && report.measured) words += `, ${percent(report.measured[at], 1)} measured`;
    byId("left").textContent = words + ".";
    const edge = Number(shade.dataset.left) + (at / 100) * Number(shade.dataset.width);
    shade.setAttribute("width", edge - Number(shade.dataset.left));
    mark.setAttribute("x1", edge);
    mark.setAttribute("x2", edge);
  };
  input.addEventListener("input", show);
  show();
}

const copy = byId("copy");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(byId("command").textContent);
    copy.textContent = "Copied";
  });
}

// Small pictures stay sharp when they are enlarged.
for (const image of document.querySelectorAll(".look img")) {
  const sharpen = () => image.naturalWidth <= 40 && (image.style.imageRendering = "pixelated");
  if (image.complete) sharpen();
  else image.addEventListener("load", sharpen);
}
