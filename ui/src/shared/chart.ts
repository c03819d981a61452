/** uPlot with the page's colours, axes and keyboard. */

import uPlot from "uplot";
import { find } from "./page";
import { clock, tick } from "./figures";
import { colour } from "./theme";

export type Values = (number | null)[];

export interface Line {
  /** Names its colour in the style, and its entry in the legend. */
  key: string;
  values: Values;
  fill?: boolean;
  dash?: number[];
  width?: number;
  step?: boolean;
  /** Where fewer than 10 samples lie beyond: the line is dashed there. */
  few?: boolean[];
  /** Whether single points show where there is room for them. */
  points?: boolean;
}

/** How a chart is drawn once: on paper everything is larger, and scaled down again. */
export interface Drawing {
  width: number;
  scale: number;
}

const FONT = "system-ui, sans-serif";
const AXIS_PX = 58;

export function font(drawing: Drawing): string {
  return `${Math.round(11 * drawing.scale)}px ${FONT}`;
}

export function series(line: Line, drawing: Drawing): uPlot.Series {
  const made: uPlot.Series = {
    label: line.key,
    stroke: () => colour(line.key),
    width: (line.width ?? 1.5) * drawing.scale,
    points: {
      size: 4 * drawing.scale,
      fill: () => colour(line.key),
      filter: (self, place, show, gaps) =>
        show && line.points !== false ? null : lonely(self.data[place] as Values, gaps),
    },
  };
  if (line.points === false) made.points!.show = false;
  if (line.fill) made.fill = () => colour(line.key, 0.15);
  if (line.dash) made.dash = line.dash.map((length) => length * drawing.scale);
  if (line.step) made.paths = uPlot.paths.stepped!({ align: 1 });
  return made;
}

/** A line as it is drawn: where samples are few, a dashed one goes on. */
export function parts(line: Line): Line[] {
  const { few, values, ...rest } = line;
  if (!few?.includes(true)) return [line];
  const near = (place: number): boolean => !!(few[place - 1] || few[place] || few[place + 1]);
  return [
    { ...rest, values: values.map((value, place) => (few[place] ? null : value)) },
    { ...rest, values: values.map((value, place) => (near(place) ? value : null)), dash: [3, 3], points: false },
  ];
}

/** Values with none on either side, which no line would show. */
function lonely(values: Values, gaps?: null | number[][]): number[] | null {
  if (!gaps?.length && values.length > 1) return null;
  const found = values.flatMap((value, place) =>
    value !== null && (values[place - 1] ?? null) === null && (values[place + 1] ?? null) === null ? [place] : [],
  );
  return found.length ? found : null;
}

export function axis(drawing: Drawing, more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return {
    stroke: () => colour("muted"),
    font: font(drawing),
    grid: { stroke: () => colour("grid"), width: drawing.scale },
    ticks: { stroke: () => colour("grid"), width: drawing.scale, size: 4 * drawing.scale },
    gap: 5 * drawing.scale,
    ...more,
  };
}

export function valueAxis(drawing: Drawing, more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return axis(drawing, {
    size: AXIS_PX * drawing.scale,
    space: 32 * drawing.scale,
    values: (_, splits) => splits.map((split) => (split === null ? "" : tick(split))),
    ...more,
  });
}

export function timeAxis(drawing: Drawing, labels: boolean): uPlot.Axis {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800];
  return axis(drawing, {
    size: (labels ? 28 : 8) * drawing.scale,
    space: 70 * drawing.scale,
    incrs: steps,
    values: (_, splits) => splits.map((split) => (labels ? clock(split) : "")),
  });
}

/** A plot that follows its element's width, and is drawn anew when colours or paper change. */
export class Plot {
  private chart: uPlot | null = null;

  constructor(
    readonly element: HTMLElement,
    private readonly options: (drawing: Drawing) => uPlot.Options,
    private readonly data: uPlot.AlignedData,
  ) {
    new ResizeObserver(() => this.fit()).observe(element);
    this.draw();
  }

  get plot(): uPlot | null {
    return this.chart;
  }

  draw(drawing: Drawing = { width: this.element.clientWidth, scale: 1 }): void {
    this.chart?.destroy();
    this.chart = null;
    if (drawing.width < 1) return;
    const options = this.options(drawing);
    this.chart = new uPlot(options, this.data, this.element);
    find<HTMLElement>(".u-wrap", this.element)?.style.setProperty("--ratio", `${options.width} / ${options.height}`);
  }

  private fit(): void {
    const width = this.element.clientWidth;
    if (width < 1) return;
    if (!this.chart) this.draw();
    else if (Math.abs(width - this.chart.width) >= 1) this.chart.setSize({ width, height: this.chart.height });
  }
}
