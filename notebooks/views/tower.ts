// GPT-2 as a tower for chapter 4: its parts from bottom to top, with shapes and parameters.

import type { Gpt2 } from "tunebook";
import { View } from "tunebook/show";

/** A box of the tower. */
interface Part {
  readonly name: string;
  readonly says: string;
  /** Numbers that are learnt in it. */
  readonly parameters: number;
  /** Whether it is in every block. */
  readonly repeated?: boolean;
}

/**
 * Draws a model's parts.
 *
 * @param model The model.
 * @returns A drawing; what is repeated in every layer is in a frame.
 */
export function tower(model: Gpt2): View {
  const { width, layers, heads, vocabularySize, contextLength } = model.config;
  const count = (pattern: RegExp) =>
    [...model.parameters].filter(([name]) => pattern.test(name))
      .reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const parts: Part[] = [
    {
      name: "output head",
      says: `${width} → ${vocabularySize} logits: the token embedding again`,
      parameters: 0,
    },
    { name: "last norm", says: "mean 0, variance 1, in each row", parameters: count(/^ln_f/) },
    {
      name: "+ feed-forward",
      says: `norm, ${width} → ${4 * width}, GELU, → ${width}; each token alone`,
      parameters: count(/^h\.0\.(ln_2|mlp)/),
      repeated: true,
    },
    {
      name: "+ attention",
      says: `norm, q k v, ${heads} heads of ${width / heads}, → ${width}; tokens look back`,
      parameters: count(/^h\.0\.(ln_1|attn)/),
      repeated: true,
    },
    {
      name: "+ position",
      says: `one of ${contextLength} rows of ${width}`,
      parameters: count(/^wpe/),
    },
    {
      name: "token embedding",
      says: `one of ${vocabularySize} rows of ${width}`,
      parameters: count(/^wte/),
    },
  ];
  const [row, left, boxWidth] = [50, 56, 560];
  const boxes = parts.map(({ name, says, parameters, repeated }, i) => {
    const y = 6 + i * row;
    const learnt = repeated ? `${layers} × ` : "";
    return `<rect x="${left}" y="${y}" width="${boxWidth}" height="40" rx="5" fill="${
      repeated ? "rgba(59,125,216,0.16)" : "rgba(128,128,128,0.12)"
    }" stroke="rgba(128,128,128,0.6)"/><text x="${left + 12}" y="${
      y + 17
    }" fill="currentColor" font-weight="700">${name}</text><text x="${left + 12}" y="${
      y + 33
    }" fill="currentColor" fill-opacity="0.85">${says}</text><text x="${left + boxWidth - 12}" y="${
      y + 17
    }" text-anchor="end" fill="currentColor">${learnt}${
      parameters.toLocaleString("en-US")
    } weights</text>`;
  });
  const [top, bottom] = [6 + 2 * row, 6 + 4 * row - 10];
  const bracket =
    `<path d="M46 ${top}h-8v${bottom - top}h8" fill="none" stroke="#3b7dd8" stroke-width="2"/>` +
    `<text x="32" y="${
      (top + bottom) / 2 + 4
    }" text-anchor="end" fill="currentColor">× ${layers}</text>`;
  const total = [...model.parameters.values()]
    .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const alt = `From the bottom: ${
    parts.toReversed().map(({ name, parameters, repeated }) =>
      `${name} (${repeated ? `${layers} × ` : ""}${parameters})`
    ).join(", ")
  }. In all ${total} weights.`;
  const height = 6 + parts.length * row;
  return new View(() => ({
    "text/html": `<svg viewBox="0 0 630 ${height}" width="630" role="img" aria-label="${alt}" ` +
      `font-family="system-ui,sans-serif" font-size="13" style="width:100%;max-width:630px;` +
      `height:auto">${boxes.join("")}${bracket}</svg><p style="margin:4px 0">In all <b>${
        total.toLocaleString("en-US")
      }</b> weights. Read it from the bottom to the top.</p>`,
    "text/plain": alt,
  }));
}
