/**
 * The page's script for its charts, which uPlot draws: lines over the last minutes, with the value under the pointer, and
 * in words for those who do not see them. Served as it stands here. Pure.
 */

export const CHARTS = `"use strict";
const charts = (() => {
  const place = document.getElementById("charts");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const KINDS = [
    { title: "Requests", unit: "a second", lines: { all: "requests", "5xx": "errors" } },
    { title: "Time of requests", unit: "milliseconds", lines: { p50: "p50", p99: "p99" } },
    { title: "Connections", unit: "open", lines: { clients: "connections" } },
    { title: "Bytes", unit: "a second", lines: { received: "received", sent: "sent" } },
  ];
  const HEIGHT = 150, MOST = 300;
  let drawn = [];
  let points = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function short(value) {
    if (value === null || value === undefined) return "–";
    for (const [size, sign] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
      if (value >= size) return (value / (sign === "k" ? 1e3 : size)).toFixed(sign === "k" ? 0 : 1) + " " + sign;
    }
    return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
  }

  function words(values) {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? "nothing yet" : short(known.at(-1)) + ", at most " + short(Math.max(...known));
  }

  function optionsOf({ lines }, width) {
    const ink = colour("--text"), grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: ink, grid, ticks: grid, font: "12px system-ui, sans-serif" };
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false },
      scales: { y: { range: (_, least, most) => [0, Math.max(1, most * 1.05)] } },
      axes: [
        { ...axis, values: (_, marks) => marks.map((at) => new Date(at * 1000).toTimeString().slice(0, 8)), space: 90, size: 30 },
        { ...axis, size: 52, values: (_, marks) => marks.map(short) },
      ],
      series: [{}, ...Object.keys(lines).map((label, at) => ({
        label,
        stroke: colour(at === 0 ? "--one" : "--two"),
        dash: at === 0 ? [] : [6, 3],
        width: 1.5,
        points: { show: false },
      }))],
    };
  }

  function dataOf({ lines }) {
    return [points.map(({ at }) => at / 1000), ...Object.values(lines).map((name) => points.map((one) => one[name]))];
  }

  function make(kind) {
    const figure = document.createElement("figure");
    const caption = figure.appendChild(document.createElement("figcaption"));
    const canvas = figure.appendChild(document.createElement("div"));
    canvas.setAttribute("role", "img");
    place.append(figure);
    const one = { kind, figure, caption, canvas, plot: null };
    one.plot = new uPlot({ ...optionsOf(kind, canvas.clientWidth), hooks: { setCursor: [() => tell(one)] } }, dataOf(kind), canvas);
    return one;
  }

  /** The caption says what is under the pointer, else the last and the greatest value. */
  function tell({ kind: { title, unit, lines }, caption, canvas, plot }) {
    const at = plot?.cursor.idx ?? null;
    const data = dataOf({ lines });
    const texts = Object.keys(lines).map((label, index) => {
      const values = data[index + 1];
      return label + ": " + (at === null ? words(values) : short(values[at]));
    });
    const when = at === null ? unit : unit + ", " + new Date(data[0][at] * 1000).toTimeString().slice(0, 8);
    const strong = document.createElement("strong");
    strong.textContent = title;
    caption.replaceChildren(strong, " (" + when + ")", document.createElement("br"), ...texts.map((text, index) => {
      const span = document.createElement("span");
      span.className = "line" + index;
      span.textContent = text;
      return span;
    }));
    canvas.setAttribute("aria-label", title + ", " + unit + ": " + texts.join("; "));
  }

  function draw() {
    for (const { plot, figure } of drawn) plot.destroy(), figure.remove();
    drawn = KINDS.map(make);
    drawn.forEach(tell);
  }

  dark.addEventListener("change", draw);
  addEventListener("resize", () => {
    for (const { plot, canvas } of drawn) plot.setSize({ width: canvas.clientWidth, height: HEIGHT });
  });

  return {
    /** whole: these are all the points, else the last one of them. */
    show(latest, whole) {
      if (whole) points = latest;
      else points = [...points.filter(({ at }) => at !== latest[0]?.at), ...latest].slice(-MOST);
      // Without its library the page still has everything else.
      if (typeof uPlot === "undefined") return;
      if (drawn.length === 0) draw();
      for (const one of drawn) one.plot.setData(dataOf(one.kind)), tell(one);
    },
  };
})();
`;
