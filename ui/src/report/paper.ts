/** Printing: light colours, charts drawn for paper, everything open. */

import type { Plot } from "../shared/chart";
import { all } from "../shared/page";
import type { SortedTable } from "../shared/table";

/** Wider than a page of A4, so that what is drawn comes out a little smaller than on a screen. */
const PAPER_PX = 800;
const PAIR_PX = 390;
const SCALE = 3;

export function preparePaper(plots: () => Plot[], tables: SortedTable[], isDark: () => boolean): void {
  let theme: string | undefined;
  let closed: HTMLDetailsElement[] = [];
  addEventListener("beforeprint", () => {
    const root = document.documentElement;
    theme = root.dataset["theme"];
    if (isDark()) root.dataset["theme"] = "light";
    closed = all<HTMLDetailsElement>("details:not([open])");
    for (const details of closed) details.open = true;
    for (const table of tables) table.showAll(true);
    for (const plot of plots()) {
      const width = plot.element.closest(".pair") ? PAIR_PX : PAPER_PX;
      plot.draw({ width: width * SCALE, scale: SCALE });
    }
  });
  addEventListener("afterprint", () => {
    const root = document.documentElement;
    if (theme === undefined) delete root.dataset["theme"];
    else root.dataset["theme"] = theme;
    for (const details of closed) details.open = false;
    for (const table of tables) table.showAll(false);
    for (const plot of plots()) plot.draw();
  });
}
