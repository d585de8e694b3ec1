// The report's colours, light and dark. A test holds every text colour to a contrast of 4.5:1.

/** Colours by the name of their CSS property. */
export interface Palette {
  /** The page. */
  paper: string;
  /** Behind code. */
  code: string;
  /** Above the page: buttons, labels. */
  raised: string;
  ink: string;
  muted: string;
  /** Links and marks. */
  accent: string;
  line: string;
  grid: string;
  /** Behind errors, and their ink. */
  alarm: string;
  error: string;
  warn: string;
  keyword: string;
  string: string;
  number: string;
  name: string;
  type: string;
  attribute: string;
  comment: string;
  red: string;
  green: string;
  yellow: string;
  blue: string;
  magenta: string;
  cyan: string;
}

/** Colours on light paper; paper itself is printed so. */
export const LIGHT: Palette = {
  paper: "#ffffff",
  code: "#f6f7f9",
  raised: "#ffffff",
  ink: "#1d2129",
  muted: "#5a6472",
  accent: "#1f5fbf",
  line: "#e1e4ea",
  grid: "#e6e8ed",
  alarm: "#fdf1f0",
  error: "#b3261e",
  warn: "#8a5a00",
  keyword: "#8b2a78",
  string: "#2f6b2c",
  number: "#93510a",
  name: "#1f57a8",
  type: "#0f6674",
  attribute: "#5c4aa0",
  comment: "#636c78",
  red: "#b3261e",
  green: "#2f6b2c",
  yellow: "#805500",
  blue: "#1f57a8",
  magenta: "#8b2a78",
  cyan: "#0f6674",
};

/** Colours on dark paper. */
export const DARK: Palette = {
  paper: "#15181d",
  code: "#1c2027",
  raised: "#232831",
  ink: "#e1e5ec",
  muted: "#9da7b5",
  accent: "#86b4f5",
  line: "#2c323c",
  grid: "#2c323c",
  alarm: "#2b1c1d",
  error: "#f2938c",
  warn: "#e3b768",
  keyword: "#e293d0",
  string: "#9fcf94",
  number: "#e6b27a",
  name: "#8fbcf7",
  type: "#76ccd6",
  attribute: "#bcaef2",
  comment: "#929cab",
  red: "#f2938c",
  green: "#9fcf94",
  yellow: "#e3b768",
  blue: "#8fbcf7",
  magenta: "#e293d0",
  cyan: "#76ccd6",
};

/**
 * Writes the palettes as custom properties: by the system's setting, or by the page's own switch.
 * On paper the light one holds.
 *
 * @returns CSS.
 */
export function paletteCss(): string {
  const properties = (palette: Palette) =>
    Object.entries(palette).map(([name, color]) => `--nb-${name}:${color}`).join(";");
  return `:root{color-scheme:light;${properties(LIGHT)}}
@media screen{:root[data-theme=dark]{color-scheme:dark;${properties(DARK)}}}
@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${
    properties(DARK)
  }}}
`;
}
