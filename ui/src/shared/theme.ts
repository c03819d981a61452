/** Light or dark: what the system prefers, until a person chooses. */

const KEPT = "swell-theme";
const known = new Map<string, string>();
const watchers: (() => void)[] = [];
const preference = matchMedia("(prefers-color-scheme: dark)");

export function isDark(): boolean {
  const chosen = document.documentElement.dataset["theme"];
  return chosen ? chosen === "dark" : preference.matches;
}

/** Calls back when the colours have changed. */
export function onTheme(watcher: () => void): void {
  watchers.push(watcher);
}

/** A colour of the page's style as it is now, in a form that a canvas takes. */
export function colour(name: string, alpha = 1): string {
  const key = `${isDark() ? "dark" : "light"} ${name}`;
  let channels = known.get(key);
  if (!channels) known.set(key, (channels = channelsOf(name)));
  return `rgba(${channels}, ${alpha})`;
}

/** Only an element's own colour is resolved; a variable keeps both its values. */
function channelsOf(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g) ?? ["128", "128", "128"];
  probe.remove();
  return `${red}, ${green}, ${blue}`;
}

export function startTheme(button: HTMLButtonElement): void {
  const chosen = remembered();
  if (chosen) document.documentElement.dataset["theme"] = chosen;
  const show = (): void => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Change to ${isDark() ? "light" : "dark"} colours`);
    for (const watcher of watchers) watcher();
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    document.documentElement.dataset["theme"] = next;
    remember(next);
    show();
  });
  preference.addEventListener("change", show);
  show();
}

function remembered(): string | null {
  try {
    const kept = localStorage.getItem(KEPT);
    return kept === "light" || kept === "dark" ? kept : null;
  } catch {
    return null; // a browser that keeps nothing for files
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem(KEPT, theme);
  } catch {
    // the choice then lasts as long as the page
  }
}
