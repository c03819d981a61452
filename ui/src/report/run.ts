/** What the page holds of the run, written by src/swell/report/html_charts.py. */

import { find } from "../shared/page";
import type { Line, Values } from "../shared/chart";
import type { Mark } from "../shared/time-charts";

export interface LineData {
  rps: Values;
  failures_per_s: Values;
  p50_ms: Values;
  p95_ms: Values;
  p99_ms: Values;
}

/** Bin c of a fineness f begins at 2 ** (c >> f) * (1 + (c % 2 ** f) / 2 ** f) ns. */
export interface Distribution {
  count: number;
  fineness: number;
  first: number;
  bins: number[];
  /** At 1 / (1 - q) = 10 ** (n / 8); the last is the greatest. */
  percentiles_ms: number[];
}

export type Distributions = Record<"response" | "service" | "failed", Distribution | null>;

export interface Detail {
  /** Kind, clock, and nine durations. */
  times: string[][];
  statuses: string[];
  transfer: string;
  distributions: Distributions;
  line: LineData;
}

export interface Run {
  started_ms: number;
  edges_s: number[];
  all: LineData;
  users: Values;
  planned: Values | null;
  health: { cpu: Record<string, Values>; loop_lag_ms: Values; schedule_lag_ms: Values };
  marks: Mark[];
  distributions: Distributions;
  wide_edges_s: number[];
  details: Detail[];
}

export function readRun(): Run {
  return JSON.parse(find("#run")?.textContent ?? "null") as Run;
}

const FEW = 10;

/** The percentiles of a line, the highest first, with the points that too few samples lie beyond. */
export function percentileLines(line: LineData, edges: number[]): Line[] {
  const calls = line.rps.map(
    (rps, place) => ((rps ?? 0) - (line.failures_per_s[place] ?? 0)) * (edges[place + 1]! - edges[place]!),
  );
  const few = (q: number): boolean[] => calls.map((count) => Math.round(count) * (1 - q) < FEW);
  return [
    { key: "p99", values: line.p99_ms, few: few(0.99) },
    { key: "p95", values: line.p95_ms, few: few(0.95) },
    { key: "p50", values: line.p50_ms, few: few(0.5) },
  ];
}
