/** The HTML report: charts on a page whose figures and tables are already there. */

import "uplot/dist/uPlot.min.css";
import "../shared/style.css";
import type { Line, Plot } from "../shared/chart";
import { ms, rate, count } from "../shared/figures";
import { all, find } from "../shared/page";
import { SortedTable } from "../shared/table";
import { isDark, onTheme, startTheme } from "../shared/theme";
import { TimeChart, type TimeChartOptions, TimeGroup } from "../shared/time-charts";
import { Details } from "./details";
import { drawDistributions } from "./distribution";
import { preparePaper } from "./paper";
import { type Run, percentileLines, readRun } from "./run";

function timeGroup(run: Run): TimeGroup {
  const [whole, moment] = [find<HTMLButtonElement>("#whole")!, find<HTMLOutputElement>("#moment")!];
  const group = new TimeGroup(run.started_ms, run.edges_s, run.marks, {
    moment: (text) => (moment.value = text),
    zoomed: (yes) => (whole.hidden = !yes),
  });
  whole.addEventListener("click", () => group.reset());
  const log = find<HTMLButtonElement>("#log")!;
  log.addEventListener("click", () => {
    group.log = !group.log;
    log.setAttribute("aria-pressed", String(group.log));
    group.drawAll();
  });
  for (const link of all<HTMLAnchorElement>("a.jump")) {
    link.addEventListener("click", () => group.jump(Number(link.dataset["from"]), Number(link.dataset["to"])));
  }
  find<HTMLElement>("#time .tools")!.hidden = false;
  return group;
}

function drawRun(run: Run, group: TimeGroup): void {
  const draw = (name: string, lines: Line[], options: TimeChartOptions): void => {
    const figure = find<HTMLElement>(`[data-chart="${name}"]`);
    if (figure) new TimeChart(group, figure, run.edges_s, lines, options);
  };
  const { all: whole, health } = run;
  draw(
    "rates",
    [
      { key: "rps", values: whole.rps, fill: true },
      { key: "failures", values: whole.failures_per_s, fill: true },
    ],
    { height: 200, format: rate, badges: true },
  );
  const planned: Line[] = run.planned ? [{ key: "planned", values: run.planned, dash: [4, 4], width: 1 }] : [];
  draw("users", [{ key: "users", values: run.users, fill: true }, ...planned], { height: 110, format: count });
  draw("times", percentileLines(whole, run.edges_s), { height: 230, format: ms, labels: true, canBeLog: true });
  const cpu = Object.values(health.cpu).map((values, place): Line => ({ key: `c${place}`, values }));
  draw("cpu", cpu, { height: 130, format: (value) => `${value.toFixed(0)} %`, least: 100 });
  draw(
    "lags",
    [
      { key: "loop", values: health.loop_lag_ms },
      { key: "schedule", values: health.schedule_lag_ms },
    ],
    { height: 140, format: ms, labels: true },
  );
}

function startTables(details: Details): SortedTable[] {
  const table = find<HTMLTableElement>("#series-table");
  const tables = all<HTMLTableElement>("table.sortable:not(#series-table)").map((one) => new SortedTable(one));
  if (!table) return tables;
  all<HTMLTableRowElement>("tr[data-detail]", table).forEach((row) => details.attach(row));
  const sorted = new SortedTable(table, details.below);
  const [text, failing, found] = [
    find<HTMLInputElement>("#filter")!,
    find<HTMLInputElement>("#failing")!,
    find<HTMLOutputElement>("#found")!,
  ];
  const filter = (): void => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    sorted.filter((row) => {
      const name = row.querySelector("th")?.textContent?.toLowerCase() ?? "";
      return words.every((word) => name.includes(word)) && (!failing.checked || !!row.querySelector(".bad"));
    });
    const total = table.tBodies[0]!.querySelectorAll("tr:not(.detail)").length;
    found.value = words.length || failing.checked ? `${count(sorted.matching)} of ${count(total)}` : "";
  };
  text.addEventListener("input", filter);
  failing.addEventListener("change", filter);
  find<HTMLElement>("#series-tools")!.hidden = false;
  return [...tables, sorted];
}

function start(): void {
  document.documentElement.classList.add("live");
  const run = readRun();
  const plots: Plot[] = [];
  startTheme(find<HTMLButtonElement>("#theme")!);
  const group = timeGroup(run);
  drawRun(run, group);
  const spread = find<HTMLElement>("#distribution");
  if (spread) {
    spread.hidden = false;
    plots.push(...drawDistributions(spread, run.distributions));
  }
  const details = new Details(run, group);
  const tables = startTables(details);
  const everyPlot = (): Plot[] => [...plots, ...details.plots, ...group.charts.map((chart) => chart.plot)];
  onTheme(() => everyPlot().forEach((plot) => plot.draw()));
  preparePaper(everyPlot, tables, isDark);
}

start();
