/** Numbers as a person reads them, in the same digits as the tables of the page (src/swell/report/figures.py). */

export const NONE = "–";

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

export function count(n: number): string {
  for (const [power, unit] of [
    [13, "T"],
    [10, "G"],
    [7, "M"],
  ] as const) {
    if (n >= 10 ** power) return `${Number((n / 10 ** (power - 1)).toPrecision(4))} ${unit}`;
  }
  return whole.format(n);
}

export function rate(perSecond: number): string {
  if (perSecond === 0) return "0";
  if (perSecond < 10) return perSecond.toFixed(2);
  return perSecond < 1000 ? perSecond.toFixed(1) : count(Math.round(perSecond));
}

export function ms(value: number): string {
  if (value === 0) return "0";
  if (value < 9.9995) return value.toFixed(3);
  if (value < 99.995) return value.toFixed(2);
  return value < 999.95 ? value.toFixed(1) : whole.format(value);
}

export function percent(value: number): string {
  return `${value < 10 ? value.toPrecision(2) : value.toFixed(0)} %`;
}

/** A label on an axis: as few digits as tell it from its neighbours. */
export function tick(value: number): string {
  if (value === 0) return "0";
  if (value >= 1e7) return count(value);
  return value >= 1000 ? whole.format(value) : String(Number(value.toPrecision(3)));
}

/** A stretch of time as on a clock: 0:07, 12:34, 1:02:03. */
export function clock(seconds: number): string {
  const all = Math.floor(seconds);
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, String(all % 60).padStart(2, "0")];
  return h ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}
