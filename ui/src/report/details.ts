/** What opens below a row of the table of series. */

import type { Plot } from "../shared/chart";
import { ms, rate } from "../shared/figures";
import { make } from "../shared/page";
import { TimeChart, type TimeGroup } from "../shared/time-charts";
import { drawDistributions } from "./distribution";
import { type Detail, type Run, percentileLines } from "./run";

const HEADS = ["ms", "min", "mean", "p50", "p75", "p90", "p95", "p99", "p99.9", "max"];

export class Details {
  private readonly opened = new Map<Element, HTMLTableRowElement>();
  readonly plots: Plot[] = [];

  constructor(
    private readonly run: Run,
    private readonly group: TimeGroup,
  ) {}

  /** The row that was opened below `row`, if there is one. */
  below = (row: Element): HTMLTableRowElement | null => this.opened.get(row) ?? null;

  /** Turns the row's head into a button that opens and closes what is below it. */
  attach(row: HTMLTableRowElement): void {
    const detail = this.run.details[Number(row.dataset["detail"])];
    const head = row.querySelector("th");
    if (!detail || !head) return;
    const button = make("button", { type: "button", class: "open", "aria-expanded": "false" }, ...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => this.toggle(row, button, detail));
  }

  private toggle(row: HTMLTableRowElement, button: HTMLButtonElement, detail: Detail): void {
    const known = this.opened.get(row);
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    if (known) {
      known.hidden = !open;
      return;
    }
    const cell = make("td", { colspan: String(row.cells.length) });
    const below = make("tr", { class: "detail" }, cell);
    this.opened.set(row, below);
    row.after(below);
    this.fill(cell, detail);
  }

  private fill(cell: HTMLElement, detail: Detail): void {
    const [spread, time] = [make("div", { class: "pair" }), make("div", { class: "pair" })];
    cell.append(
      make("div", { class: "inside" }, spread, time, times(detail), make("p", { class: "note" }, ...summary(detail))),
    );
    this.plots.push(...drawDistributions(spread, detail.distributions));
    this.overTime(time, detail);
  }

  private overTime(place: HTMLElement, { line }: Detail): void {
    const edges = this.run.wide_edges_s;
    const rates = figure(place, "Requests", "per second", { rps: "requests", failures: "failures" });
    const latencies = figure(place, "Response time", "ms", { p50: "p50", p95: "p95", p99: "p99" });
    const options = { height: 160, labels: true };
    new TimeChart(
      this.group,
      rates,
      edges,
      [
        { key: "rps", values: line.rps, fill: true },
        { key: "failures", values: line.failures_per_s, fill: true },
      ],
      { ...options, format: rate },
    );
    new TimeChart(this.group, latencies, edges, percentileLines(line, edges), {
      ...options,
      format: ms,
      canBeLog: true,
    });
  }
}

function summary({ statuses, transfer }: Detail): string[] {
  return [[statuses.length ? `Statuses ${statuses.join(", ")}` : "", transfer].filter(Boolean).join(" · ")];
}

function times({ times: rows }: Detail): HTMLElement {
  const head = make(
    "tr",
    {},
    ...HEADS.map((text) => make("th", { scope: "col", class: text === "ms" ? "text" : "" }, text)),
  );
  const body = rows.map(([kind, clock, ...cells]) => {
    const name = make("th", { scope: "row" }, kind!);
    if (clock !== "kernel") name.append(" ", make("small", {}, `${clock} clock`));
    return make("tr", {}, name, ...cells.map((text) => make("td", text.startsWith("~") ? { class: "few" } : {}, text)));
  });
  const table = make("table", { class: "numbers" }, make("thead", {}, head), make("tbody", {}, ...body));
  return make("div", { class: "scroll" }, table);
}

function figure(place: HTMLElement, title: string, unit: string, lines: Record<string, string>): HTMLElement {
  const legend = make("ul", { class: "legend" });
  for (const [key, name] of Object.entries(lines)) {
    const output = make("output", { "data-line": key, "data-rest": "" });
    legend.append(make("li", {}, make("i", { class: `swatch ${key}` }), `${name} `, output));
  }
  const plot = make("div", {
    class: "plot",
    role: "img",
    tabindex: "0",
    "aria-label": `${title} of this series over time`,
  });
  const caption = make("figcaption", {}, make("h3", {}, `${title} `, make("small", {}, unit)), legend);
  const made = make("figure", { class: "chart" }, caption, plot);
  place.append(made);
  return made;
}
