import { useEffect, useState } from "preact/hooks";

export type Theme = "auto" | "light" | "dark";
const kThemes: Theme[] = ["auto", "light", "dark"];
const kName = "rune-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export function storedTheme(): Theme {
  const stored = localStorage.getItem(kName) as Theme;
  return kThemes.includes(stored) ? stored : "auto";
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  localStorage.setItem(kName, theme);
  document.dispatchEvent(new Event("themechange"));
}

export const themeAfter = (theme: Theme) => kThemes[(kThemes.indexOf(theme) + 1) % kThemes.length]!;

/** Changes whenever the colours do: what is drawn on a canvas has to be drawn again. */
export function usePaint(): number {
  const [paint, setPaint] = useState(0);
  useEffect(() => {
    const repaint = () => setPaint((n) => n + 1);
    dark.addEventListener("change", repaint);
    document.addEventListener("themechange", repaint);
    return () => {
      dark.removeEventListener("change", repaint);
      document.removeEventListener("themechange", repaint);
    };
  }, []);
  return paint;
}

/** A colour of the style sheet as a canvas understands it. */
export function colorOf(element: HTMLElement, name: string): string {
  const before = element.style.color;
  element.style.color = `var(${name})`;
  const color = getComputedStyle(element).color;
  element.style.color = before;
  return color;
}
