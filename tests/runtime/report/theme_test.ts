import { assert } from "@std/assert";
import { DARK, LIGHT, type Palette } from "../../../lib/runtime/report/theme.ts";

/** WCAG 2.2: contrast ratio of two sRGB colours. */
function contrast(one: string, other: string): number {
  const luminance = (color: string) => {
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16) / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

const surfaces: (keyof Palette)[] = ["paper", "code", "raised", "alarm"];
const lines: (keyof Palette)[] = ["line", "grid"];

for (const [name, palette] of Object.entries({ LIGHT, DARK })) {
  Deno.test(`${name} has a contrast of at least 4.5 for every text on every surface`, () => {
    for (const [ink, color] of Object.entries(palette)) {
      if ([...surfaces, ...lines].includes(ink as keyof Palette)) continue;
      for (const surface of surfaces) {
        const ratio = contrast(color, palette[surface]);
        assert(
          ratio >= 4.5,
          `${ink} ${color} on ${surface} ${palette[surface]}: ${ratio.toFixed(2)}`,
        );
      }
    }
  });
}
