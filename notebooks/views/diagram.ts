// Boxes and arrows: the figures with which chapters begin.

import { escape } from "@std/html/entities";
import { View } from "tunebook/show";
import { scrolling } from "./scrolling.ts";

/** A box. */
export interface Box {
  readonly name: string;
  /** What is in it, a line each. */
  readonly says: readonly string[];
  /** Its place in the grid, from 0. */
  readonly column: number;
  readonly row: number;
  /** Whether it stands out. */
  readonly strong?: boolean;
}

const [COLUMN, ROW, WIDTH, HEIGHT] = [212, 96, 172, 68];

/**
 * Draws boxes in a grid, joined by arrows.
 *
 * @param boxes The boxes.
 * @param arrows Which leads to which, by their names; they should be side by side or one above the other.
 * @param alt The drawing in words.
 * @returns The drawing.
 */
export function diagram(
  boxes: readonly Box[],
  arrows: readonly (readonly [from: string, to: string])[],
  alt: string,
): View {
  const places = new Map(boxes.map(({ name, column, row }) => [
    name,
    { x: 4 + column * COLUMN, y: 4 + row * ROW },
  ]));
  const lines = arrows.map(([from, to]) => {
    const [a, b] = [from, to].map((name) => {
      const place = places.get(name);
      if (!place) throw new RangeError(`Cannot draw an arrow: there is no box "${name}"`);
      return place;
    });
    const [across, down] = [Math.sign(b.x - a.x), b.x === a.x ? Math.sign(b.y - a.y) : 0];
    const [x1, y1] = [a.x + WIDTH * (1 + across) / 2, a.y + HEIGHT * (1 + down) / 2];
    const [x2, y2] = [b.x + WIDTH * (1 - across) / 2, b.y + HEIGHT * (1 - down) / 2];
    const angle = Math.atan2(y2 - y1, x2 - x1) * 180 / Math.PI;
    return `<path d="M${x1} ${y1}L${x2} ${y2}" stroke="#3b7dd8" stroke-width="2" fill="none"/>` +
      `<path d="M0 0l-9 -5v10z" fill="#3b7dd8" transform="translate(${x2} ${y2}) rotate(${
        angle.toFixed(1)
      })"/>`;
  });
  const drawn = boxes.map(({ name, says, strong }) => {
    const { x, y } = places.get(name)!;
    const fill = strong ? "rgba(59,125,216,0.18)" : "rgba(128,128,128,0.12)";
    const text = (line: number, words: string, weight: number) =>
      `<text x="${x + 10}" y="${y + 21 + 18 * line}" fill="currentColor" font-weight="${weight}">${
        escape(words)
      }</text>`;
    return `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="6" fill="${fill}" ` +
      `stroke="rgba(128,128,128,0.6)"/>` + text(0, name, 700) +
      says.map((words, i) => text(i + 1, words, 400)).join("");
  });
  const width = 8 + Math.max(...boxes.map(({ column }) => column)) * COLUMN + WIDTH;
  const height = 8 + Math.max(...boxes.map(({ row }) => row)) * ROW + HEIGHT;
  return new View(() => ({
    "text/html": scrolling(
      `<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${
        escape(alt)
      }" style="width:100%;max-width:${width}px;min-width:480px;height:auto" ` +
        `font-family="system-ui,sans-serif" font-size="13">${lines.join("")}${
          drawn.join("")
        }</svg>`,
    ),
    "text/plain": alt,
  }));
}

/** Chapter 5: what happens in a step. */
export function trainingStep(): View {
  return diagram(
    [
      {
        name: "batch",
        says: ["some pairs as tokens,", "and which of them count"],
        column: 0,
        row: 0,
      },
      { name: "forward", says: ["a guess of each", "next token"], column: 1, row: 0 },
      { name: "loss", says: ["how far off the guesses", "are, one number"], column: 2, row: 0 },
      {
        name: "backward",
        says: ["for each weight: would it", "raise or lower the loss?"],
        column: 2,
        row: 1,
      },
      { name: "update", says: ["each weight moves a", "little the better way"], column: 1, row: 1 },
      {
        name: "weights",
        says: ["the model: all that it", "knows is in here"],
        column: 0,
        row: 1,
        strong: true,
      },
    ],
    [
      ["batch", "forward"],
      ["forward", "loss"],
      ["loss", "backward"],
      ["backward", "update"],
      ["update", "weights"],
      ["weights", "forward"],
    ],
    "One step: a batch goes forward through the weights to a loss; backward gives each weight a gradient; the update " +
      "changes the weights, with which the next step goes forward.",
  );
}

/** Chapter 9: the way of a model, from where it is and back. */
export function wayOfAModel(): View {
  return diagram(
    [
      {
        name: "where it is",
        says: ["Ollama, a GGUF file,", "a directory, the hub"],
        column: 0,
        row: 0,
      },
      {
        name: "weights",
        says: ["loaded to the device,", "packed or not"],
        column: 1,
        row: 0,
        strong: true,
      },
      {
        name: "tokenizer, template",
        says: ["how it reads, and how", "it was taught to talk"],
        column: 1,
        row: 1,
      },
      { name: "fine-tuning", says: ["a few steps of LoRA", "on your data"], column: 2, row: 0 },
      { name: "a GGUF file", says: ["all of it in one,", "merged"], column: 3, row: 0 },
      { name: "Ollama", says: ["the same words there", "as here"], column: 3, row: 1 },
    ],
    [
      ["where it is", "weights"],
      ["where it is", "tokenizer, template"],
      ["weights", "fine-tuning"],
      ["tokenizer, template", "fine-tuning"],
      ["fine-tuning", "a GGUF file"],
      ["a GGUF file", "Ollama"],
    ],
    "The way of a model: from Ollama, a GGUF file, a directory or the hub come weights, tokenizer and chat template; " +
      "fine-tuning changes the weights; merged, they go into a GGUF file, and with it to Ollama.",
  );
}
