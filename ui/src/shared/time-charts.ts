/** Charts over time that share their axis: one cursor, one zoom, one set of marks. */

import uPlot from "uplot";
import { NONE, clock } from "./figures";
import { all } from "./page";
import { type Drawing, type Line, Plot, parts, series, timeAxis, valueAxis } from "./chart";
import { colour } from "./theme";

/** From, to, sort, text. */
export type Mark = [number, number, string, string];

export interface TimeChartOptions {
  height: number;
  format: (value: number) => string;
  labels?: boolean;
  badges?: boolean;
  canBeLog?: boolean;
  /** The axis reaches at least so far. */
  least?: number;
}

const SYNC = "run";
const MOVES = ["mousemove", "mouseleave"];
const LEAST_SPAN_S = 2;
const BADGE_PX = 19;
const MOST_LANES = 5;

export class TimeGroup {
  readonly charts: TimeChart[] = [];
  readonly end: number;
  log = false;
  from: number;
  to: number;

  constructor(
    readonly startedMs: number,
    edges: number[],
    readonly marks: Mark[],
    private readonly say: { moment: (text: string) => void; zoomed: (yes: boolean) => void },
  ) {
    this.end = edges[edges.length - 1]!;
    this.from = 0;
    this.to = this.end;
  }

  /** Shows [from, to) in all charts; where it is too narrow, a little around it. */
  zoom(from: number, to: number): void {
    const lacking = Math.max(LEAST_SPAN_S - (to - from), 0) / 2;
    this.from = Math.max(0, from - lacking);
    this.to = Math.min(this.end, Math.max(to + lacking, this.from + 0.1));
    for (const chart of this.charts) chart.plot.plot?.setScale("x", { min: this.from, max: this.to });
    this.say.zoomed(this.from > 0 || this.to < this.end);
  }

  /** Shows a stretch with some room on both sides. */
  jump(from: number, to: number): void {
    const room = Math.max((to - from) * 0.5, this.end / 40, 3);
    this.zoom(from - room, to + room);
  }

  reset(): void {
    this.zoom(0, this.end);
  }

  drawAll(drawing?: Drawing): void {
    for (const chart of this.charts) chart.plot.draw(drawing);
  }

  moment(from: number | null, to: number): void {
    if (from === null) return this.say.moment("");
    const at = new Date(this.startedMs + from * 1000).toISOString().slice(11, 19);
    const within = this.marks.filter(([begin, end]) => begin < to && Math.max(end, begin + 0.001) > from);
    const more = within.map(([, , , text]) => ` · ${text}`).join("");
    this.say.moment(`${clock(from)}${to - from > 1 ? ` – ${clock(to)}` : ""} · ${at} UTC${more}`);
  }
}

export class TimeChart {
  readonly plot: Plot;
  private readonly outputs: Map<string, HTMLOutputElement>;
  private readonly xs: number[];

  constructor(
    private readonly group: TimeGroup,
    figure: HTMLElement,
    private readonly edges: number[],
    private readonly lines: Line[],
    private readonly options: TimeChartOptions,
  ) {
    this.xs = edges.slice(0, -1).map((edge, place) => (edge + edges[place + 1]!) / 2);
    this.outputs = new Map(all<HTMLOutputElement>("output", figure).map((one) => [one.dataset["line"]!, one]));
    group.charts.push(this);
    const element = figure.querySelector<HTMLElement>(".plot")!;
    const data = [this.xs, ...lines.flatMap(parts).map((line) => line.values)] as uPlot.AlignedData;
    this.plot = new Plot(element, (drawing) => this.settings(drawing), data);
    element.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("blur", () => this.point(null));
  }

  private settings(drawing: Drawing): uPlot.Options {
    const { group, options } = this;
    return {
      width: drawing.width,
      height: (options.height + (options.badges ? BADGE_PX * this.lanes() : 0)) * drawing.scale,
      padding: [(8 + (options.badges ? BADGE_PX * this.lanes() : 0)) * drawing.scale, 26 * drawing.scale, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        sync: { key: SYNC, scales: ["x", null], setSeries: false, filters: { pub: (type) => MOVES.includes(type) } },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => (group.reset(), null) },
        points: { size: 6 * drawing.scale },
      },
      scales: {
        x: { time: false, range: () => [group.from, group.to] },
        y: options.canBeLog && group.log ? { distr: 3, range: logRange } : { range: fromZero(options.least) },
      },
      axes: [
        timeAxis(drawing, options.labels ?? false),
        valueAxis(drawing, logAxis(drawing, options.canBeLog && group.log)),
      ],
      series: [{}, ...this.lines.flatMap(parts).map((line) => series(line, drawing))],
      hooks: {
        drawAxes: [(self) => this.drawMarks(self, drawing)],
        setCursor: [(self) => this.tell(self.cursor.idx ?? null)],
        setSelect: [(self) => this.select(self)],
      },
    };
  }

  private select(self: uPlot): void {
    const { left, width } = self.select;
    if (width < 3) return;
    const [from, to] = [self.posToVal(left, "x"), self.posToVal(left + width, "x")];
    self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.group.zoom(from, to);
  }

  private tell(idx: number | null): void {
    this.lines.forEach((line) => {
      const output = this.outputs.get(line.key);
      if (!output) return;
      const value = idx === null ? undefined : line.values[idx];
      const mark = idx !== null && line.few?.[idx] ? "~" : "";
      if (value === undefined) output.value = output.dataset["rest"]!;
      else output.value = value === null ? NONE : mark + this.options.format(value);
    });
    if (idx === null) this.group.moment(null, 0);
    else this.group.moment(this.edges[idx]!, this.edges[idx + 1]!);
  }

  private point(idx: number | null): void {
    for (const { plot } of this.group.charts) {
      const chart = plot.plot;
      if (!chart) continue;
      const left = idx === null ? -10 : chart.valToPos(this.xs[idx]!, "x");
      chart.setCursor({ left, top: idx === null ? -10 : 10 });
    }
  }

  private zoomAround(centre: number, half: number, idx: number | null): void {
    this.group.zoom(centre - half, centre + half);
    queueMicrotask(() => this.point(idx)); // once the charts have their new scale
  }

  private key(event: KeyboardEvent): void {
    const { group, xs } = this;
    const at = this.plot.plot?.cursor.idx ?? null;
    const shown = xs.flatMap((x, place) => (x >= group.from && x <= group.to ? [place] : []));
    const [first, last] = [shown[0] ?? 0, shown[shown.length - 1] ?? 0];
    const step = event.shiftKey ? 10 : 1;
    const centre = at === null ? (group.from + group.to) / 2 : xs[at]!;
    const half = (group.to - group.from) / 2;
    const actions: Record<string, () => void> = {
      ArrowLeft: () => this.point(at === null ? last : Math.max(at - step, first)),
      ArrowRight: () => this.point(at === null ? first : Math.min(at + step, last)),
      Home: () => this.point(first),
      End: () => this.point(last),
      "+": () => this.zoomAround(centre, half / 2, at),
      "-": () => this.zoomAround(centre, half * 2, at),
      "0": () => this.zoomAround(group.end / 2, group.end / 2, at),
      Escape: () => this.point(null),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  /** Moments go through every chart, and losses shade the stretch that they affected; above the first chart all are
   * numbered, and stretches lie there as bars. */
  private drawMarks(self: uPlot, drawing: Drawing): void {
    const { ctx, bbox } = self;
    const unit = drawing.scale * devicePixelRatio;
    const [first, last] = [bbox.left, bbox.left + bbox.width];
    const ends: number[] = Array.from({ length: this.lanes() }, () => -Infinity);
    ctx.save();
    this.group.marks.forEach(([from, to, sort], place) => {
      if (to < this.group.from || from > this.group.to) return;
      const left = Math.max(self.valToPos(from, "x", true), first);
      const right = Math.min(self.valToPos(to, "x", true), last);
      if (sort === "loss" && right > left) shade(ctx, left, right, bbox.top, bbox.height);
      if (sort !== "caveat") line(ctx, left, bbox.top, bbox.height, unit, sort);
      if (!this.options.badges) return;
      const free = ends.findIndex((end) => end < left - BADGE_PX * unit * 0.6);
      const lane = free < 0 ? ends.length - 1 : free;
      ends[lane] = Math.max(right, left + BADGE_PX * unit * 0.5);
      badge(ctx, String(place + 1), left, right, bbox.top - (lane + 0.55) * BADGE_PX * unit, unit, sort);
    });
    ctx.restore();
  }

  /** How many rows of marks the whole run needs, where a badge takes a fortieth of its width. */
  private lanes(): number {
    const ends: number[] = [];
    for (const [from, to] of this.group.marks) {
      const free = ends.findIndex((end) => end < from);
      ends[free < 0 ? ends.length : free] = Math.max(to, from) + this.group.end / 40;
    }
    return Math.min(ends.length, MOST_LANES);
  }
}

function shade(ctx: CanvasRenderingContext2D, left: number, right: number, y: number, height: number): void {
  ctx.globalAlpha = 0.12;
  ctx.fillStyle = colour("loss");
  ctx.fillRect(left, y, right - left, height);
  ctx.globalAlpha = 1;
}

function line(ctx: CanvasRenderingContext2D, x: number, y: number, height: number, unit: number, sort: string): void {
  ctx.strokeStyle = colour(sort);
  ctx.lineWidth = unit;
  ctx.setLineDash([3 * unit, 3 * unit]);
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x, y + height);
  ctx.stroke();
}

function badge(
  ctx: CanvasRenderingContext2D,
  text: string,
  left: number,
  right: number,
  y: number,
  unit: number,
  sort: string,
): void {
  ctx.setLineDash([]);
  ctx.fillStyle = colour(sort);
  ctx.fillRect(left, y - 1.5 * unit, Math.max(right - left, 0), 3 * unit);
  ctx.beginPath();
  ctx.arc(left, y, 8 * unit, 0, 2 * Math.PI);
  ctx.fill();
  ctx.fillStyle = colour("panel");
  ctx.font = `600 ${10 * unit}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(text, left, y + 0.5 * unit);
}

/** From nothing to a little over the greatest: heights stay comparable. */
export function fromZero(least = 0): uPlot.Range.Function {
  return (_, __, max) => [0, Math.max(max > 0 ? max * 1.08 : 1, least)];
}

export function logRange(_: uPlot, min: number, max: number): uPlot.Range.MinMax {
  if (!(max > 0)) return [1, 10];
  return uPlot.rangeLog(Math.max(min, max / 1e6), max, 10, false);
}

/** On a logarithmic axis 1, 2 and 5 of each decade are written where there is room, else its 1. */
export function logAxis(drawing: Drawing, log: boolean | undefined): Partial<uPlot.Axis> {
  if (!log) return {};
  const filter = (self: uPlot, splits: number[], axisIdx: number): (number | null)[] => {
    const known = splits.filter((split) => split > 0);
    const decades = Math.log10(Math.max(...known) / Math.min(...known)) || 1;
    const [room, needed] = axisIdx === 0 ? [self.bbox.width, 130] : [self.bbox.height, 44];
    const kept = room / decades >= needed * drawing.scale * devicePixelRatio ? /^[125]/ : /^1/;
    return splits.map((split) => (split > 0 && kept.test(split.toExponential()) ? split : null));
  };
  return { filter, grid: { filter, stroke: () => colour("grid"), width: drawing.scale } };
}
