/** Tables whose columns sort, and long ones that show their first rows until asked. */

import { all, make } from "./page";

const SHOWN = 30;
const POWERS: Record<string, number> = { M: 1e6, G: 1e9, T: 1e12 };

/** What a cell sorts by: its number, where it is one, else its text. A dash is less than anything. */
export function sortKey(text: string): number | string {
  const found = /^~?(-?[\d.,]+) ?([MGT])?( %)?$/.exec(text.replace(/^[<>]/, ""));
  if (found) return Number(found[1]!.replaceAll(",", "")) * (POWERS[found[2] ?? ""] ?? 1);
  return text === "–" ? -Infinity : text;
}

export function compare(one: number | string, other: number | string): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === "number") return -1;
  return typeof other === "number" ? 1 : one.localeCompare(other, "en", { numeric: true });
}

export class SortedTable {
  private readonly body: HTMLTableSectionElement;
  private readonly rows: HTMLTableRowElement[];
  private readonly keys: (number | string)[][];
  private readonly more: HTMLButtonElement;
  private order: number[];
  private keep: (row: HTMLTableRowElement) => boolean = () => true;
  private open: boolean;
  /** How many rows there are after filtering. */
  matching: number;

  constructor(
    readonly table: HTMLTableElement,
    private readonly below: (row: HTMLTableRowElement) => Element | null = () => null,
  ) {
    this.body = table.tBodies[0]!;
    this.rows = [...this.body.rows];
    this.keys = this.rows.map((row) => [...row.cells].map((cell) => sortKey((cell.textContent ?? "").trim())));
    this.order = this.rows.map((_, place) => place);
    this.matching = this.rows.length;
    this.open = this.rows.length <= SHOWN + 5;
    this.more = make("button", { type: "button", class: "more" });
    this.more.addEventListener("click", () => this.showEvery());
    (table.parentElement ?? table).after(this.more);
    const heads = all<HTMLTableCellElement>("thead th:not(.unsorted)", table);
    if (this.rows.length > 2) heads.forEach((head) => this.makeSortable(head));
    this.show();
  }

  filter(keep: (row: HTMLTableRowElement) => boolean): void {
    this.keep = keep;
    this.show();
  }

  private showEvery(): void {
    this.open = true;
    this.show();
  }

  /** Shows every row while `task` runs: paper has no buttons. */
  showAll(yes: boolean): void {
    this.table.classList.toggle("all", yes);
  }

  private makeSortable(head: HTMLTableCellElement): void {
    const button = make("button", { type: "button", class: "sort", "aria-label": `Sort by ${head.textContent}` });
    head.append(button);
    button.addEventListener("click", () => this.sort(head));
  }

  private sort(head: HTMLTableCellElement): void {
    const column = head.cellIndex;
    const numeric = this.keys.some((row) => typeof row[column] === "number");
    const before = head.getAttribute("aria-sort");
    const down = before ? before === "ascending" : numeric;
    for (const other of all("th[aria-sort]", this.table)) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const sign = down ? -1 : 1;
    this.order.sort((a, b) => sign * compare(this.keys[a]![column]!, this.keys[b]![column]!) || a - b);
    this.show();
  }

  private show(): void {
    let matching = 0;
    const shown: Element[] = [];
    for (const place of this.order) {
      const row = this.rows[place]!;
      const kept = this.keep(row);
      matching += Number(kept);
      row.classList.toggle("out", !kept);
      row.classList.toggle("later", kept && !this.open && matching > SHOWN);
      shown.push(row);
      const below = this.below(row);
      if (below) {
        below.className =
          `${below.className.replace(/ ?\b(out|later)\b/g, "")} ${row.classList.contains("out") ? "out" : row.classList.contains("later") ? "later" : ""}`.trim();
        shown.push(below);
      }
    }
    this.body.replaceChildren(...shown);
    this.matching = matching;
    this.more.hidden = this.open || matching <= SHOWN;
    this.more.textContent = `Show all ${matching.toLocaleString("en-GB")}`;
  }
}
