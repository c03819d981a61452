/** How durations are distributed: a histogram, and percentiles as HdrHistogram plots them. */

import uPlot from "uplot";
import { type Drawing, type Line, type Values, Plot, axis, series, valueAxis } from "../shared/chart";
import { ms, percent, tick } from "../shared/figures";
import { make } from "../shared/page";
import { fromZero, logAxis, logRange } from "../shared/time-charts";
import type { Distribution, Distributions } from "./run";

const HEIGHT = 220;
const PER_DECADE = 8;
const FEW = 10;
const LOG_FROM_RATIO = 50;

type Kind = keyof Distributions;
type Known = [Kind, Distribution][];

/** Two figures, one beside the other, and the plots in them. */
export function drawDistributions(place: HTMLElement, found: Distributions): Plot[] {
  const known = (Object.entries(found) as [Kind, Distribution | null][]).filter(
    (entry): entry is Known[number] => !!entry[1],
  );
  if (!known.length) return [];
  return [histogram(place, known), percentiles(place, known)];
}

/** Where bin `place` begins, in milliseconds. */
export function edgeMs(fineness: number, place: number): number {
  const parts = 2 ** fineness;
  return (2 ** Math.floor(place / parts) * (1 + (place % parts) / parts)) / 1e6;
}

interface Bars {
  edges: number[];
  /** Share of the calls per doubling of the duration, so that areas compare. */
  densities: number[];
  shares: number[];
}

function barsOf({ count, fineness, first, bins }: Distribution): Bars {
  const edges = Array.from({ length: bins.length + 1 }, (_, place) => edgeMs(fineness, first + place));
  const shares = bins.map((bin) => bin / count);
  const densities = shares.map((share, place) => share / Math.log2(edges[place + 1]! / edges[place]!));
  return { edges, densities, shares };
}

/** The value of the bar at `x`; null outside. */
function at(bars: Bars, values: number[], x: number): number | null {
  if (x < bars.edges[0]! || x >= bars.edges[bars.edges.length - 1]!) return null;
  let place = bars.edges.findIndex((edge) => edge > x) - 1;
  if (place < 0) place = values.length - 1;
  return values[place] ?? null;
}

function histogram(place: HTMLElement, known: Known): Plot {
  const bars = new Map(known.map(([kind, one]) => [kind, barsOf(one)]));
  const xs = [...new Set([...bars.values()].flatMap((one) => one.edges))].sort((a, b) => a - b);
  const columns = [...bars.values()].map((one) => xs.map((x) => at(one, one.densities, x) ?? 0));
  const outputs = new Map<Kind, HTMLOutputElement>();
  const peak = known.map(
    ([kind, one]) => `${kind}: ${one.count.toLocaleString("en-GB")} calls, median ${ms(median(one))} ms`,
  );
  const box = figure(place, "Histogram", "share of calls by duration, ms", peak.join("; "), known, outputs);
  const tell = (idx: number | null): void => {
    for (const [kind, one] of bars) {
      const share = idx === null ? null : at(one, one.shares, xs[idx]!);
      outputs.get(kind)!.value = share === null ? "" : `${percent(100 * share)} near ${ms(xs[idx!]!)} ms`;
    }
  };
  return new Plot(
    box,
    (drawing) => ({
      ...base(drawing, tell),
      scales: { x: { time: false, distr: 3 }, y: { range: fromZero() } },
      axes: [
        axis(drawing, {
          size: 28 * drawing.scale,
          space: 45 * drawing.scale,
          values: (_, splits) => splits.map(label),
          ...logAxis(drawing, true),
        }),
        valueAxis(drawing, { show: false }),
      ],
      series: [{}, ...known.map(([kind]) => series({ ...look(kind), fill: kind !== "service", step: true }, drawing))],
    }),
    [xs, ...columns],
  );
}

function median(one: Distribution): number {
  return one.percentiles_ms[Math.round(Math.log10(2) * PER_DECADE)] ?? one.percentiles_ms[0]!;
}

/** log10 of 1 / (1 - q) for each of the percentiles. */
function places({ count, percentiles_ms }: Distribution): number[] {
  return percentiles_ms.map((_, place) => (place < percentiles_ms.length - 1 ? place / PER_DECADE : Math.log10(count)));
}

function percentiles(place: HTMLElement, known: Known): Plot {
  const outputs = new Map<Kind, HTMLOutputElement>();
  const text = known.map(
    ([kind, one]) => `${kind}: median ${ms(median(one))} ms, greatest ${ms(one.percentiles_ms.at(-1)!)} ms`,
  );
  const box = figure(place, "Percentiles", "ms", text.join("; "), known, outputs);
  const tables = known.map(([, one]): uPlot.AlignedData => {
    const [xs, few] = [places(one), Math.log10(one.count / FEW)];
    const firstFew = xs.findIndex((x) => x > few);
    const sure: Values = one.percentiles_ms.map((value, n) => (firstFew < 0 || n <= firstFew - 1 ? value : null));
    const rare: Values = one.percentiles_ms.map((value, n) => (firstFew >= 0 && n >= firstFew - 1 ? value : null));
    return [xs, sure, rare];
  });
  const data = uPlot.join(tables);
  const all = known.flatMap(([, one]) => one.percentiles_ms);
  const log = Math.max(...all) > LOG_FROM_RATIO * Math.max(Math.min(...known.map(([, one]) => median(one))), 1e-6);
  const tell = (idx: number | null): void => {
    known.forEach(([kind], n) => {
      const value =
        idx === null ? null : ((data[1 + 2 * n]![idx] ?? data[2 + 2 * n]![idx]) as number | null | undefined);
      outputs.get(kind)!.value = value == null ? "" : `${ms(value)} ms at ${quantile(data[0][idx!]!)}`;
    });
  };
  return new Plot(
    box,
    (drawing) => ({
      ...base(drawing, tell),
      scales: { x: { time: false }, y: log ? { distr: 3, range: logRange } : { range: fromZero() } },
      axes: [
        axis(drawing, {
          size: 28 * drawing.scale,
          splits: (_, __, min, max) => marked(min, max, drawing.width / drawing.scale),
          values: (_, splits) => splits.map(quantile),
        }),
        valueAxis(drawing, logAxis(drawing, log)),
      ],
      series: [
        {},
        ...known.flatMap(([kind]) => [
          { ...series(look(kind), drawing), spanGaps: true },
          { ...series({ ...look(kind), dash: [4, 3] }, drawing), spanGaps: true },
        ]),
      ],
    }),
    data,
  );
}

function base(
  drawing: Drawing,
  tell: (idx: number | null) => void,
): Pick<uPlot.Options, "width" | "height" | "padding" | "legend" | "cursor" | "hooks"> {
  return {
    width: drawing.width,
    height: HEIGHT * drawing.scale,
    padding: [8 * drawing.scale, 28 * drawing.scale, 0, 8 * drawing.scale],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 * drawing.scale } },
    hooks: { setCursor: [(self) => tell(self.cursor.idx ?? null)] },
  };
}

function figure(
  place: HTMLElement,
  title: string,
  unit: string,
  text: string,
  known: Known,
  outputs: Map<Kind, HTMLOutputElement>,
): HTMLElement {
  const legend = make("ul", { class: "legend" });
  for (const [kind] of known) {
    const output = make("output");
    outputs.set(kind, output);
    legend.append(make("li", {}, make("i", { class: `swatch ${kind}` }), `${kind} `, output));
  }
  const box = make("div", { class: "plot", role: "img", "aria-label": `${title}: ${text}` });
  place.append(
    make(
      "figure",
      { class: "chart" },
      make("figcaption", {}, make("h3", {}, `${title} `, make("small", {}, unit)), legend),
      box,
    ),
  );
  return box;
}

/** 0 %, 50 % where there is room for it, 90 %, 99 % and so on. */
function marked(min: number, max: number, width: number): number[] {
  const half = Math.log10(2);
  const decade = width / Math.max(max, 1);
  const every = decade > 66 ? 1 : 2;
  const nines = [1, 2, 3, 4, 5, 6, 7].filter((x) => (x - 1) % every === 0);
  return [0, ...(decade * half > 45 ? [half] : []), ...nines].filter((x) => x >= min && x <= max);
}

/** 0 → 0 %, 1 → 90 %, 3.5 → 99.97 %. */
function quantile(x: number): string {
  const q = 100 * (1 - 10 ** -x);
  const digits = Math.max(0, Math.ceil(x) - 1);
  return `${Number(q.toFixed(x === Math.floor(x) ? Math.max(0, x - 2) : digits))} %`;
}

function label(value: number | null): string {
  return value === null ? "" : tick(value);
}

/** What a visitor felt stands out; the target alone is a thinner line beside it. */
function look(key: Kind): Line {
  return { key, values: [], width: key === "service" ? 1 : 2, points: false };
}
