// Light, dark, or what the system says; remembered in this browser alone.
import { useLayoutEffect, useState } from "preact/hooks";

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const KEY = "valuesim-theme";

function remembered(): Theme {
  try {
    const found = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === found) ?? "system";
  } catch {
    return "system"; // a browser that keeps nothing
  }
}

function show(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

function after(theme: Theme): Theme {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
}

export function ThemeButton() {
  const [theme, setTheme] = useState(remembered);
  useLayoutEffect(() => {
    show(theme);
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // it then holds for this page only
    }
  }, [theme]);
  const next = after(theme);
  return (
    <button type="button" class="small quiet" onClick={() => setTheme(after)} aria-label={`Colours: ${theme}. Change to ${next}`}>
      <span aria-hidden="true">{theme === "system" ? "\u25d0" : theme === "light" ? "\u2600" : "\u263e"}</span> {theme}
    </button>
  );
}
