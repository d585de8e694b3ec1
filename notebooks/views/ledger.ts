// How chapter 9's memory ledger looks.

import { frames, View } from "tunebook/show";
import type { LedgerEntry, Memory } from "./memory.ts";
import { scrolling } from "./scrolling.ts";

const PARTS = ["weights", "gradients", "optimizer", "activations"] as const;
const [LEFT, WIDTH, ROW] = [96, 440, 46];
const PREDICTED = "#3b7dd8";
const MEASURED = "#d9692a";
const GUESSED = "#2a9461";

/**
 * Shows what a step's memory is for, predicted and measured.
 *
 * @param entries What `measureLedger` found.
 * @param guess Somebody's own guess of full fine-tuning, in bytes.
 * @returns Buttons for the way of training and a switch for recomputing.
 */
export function memoryLedger(entries: readonly LedgerEntry[], guess: Memory): View {
  const largest = Math.max(
    total(guess),
    ...entries.flatMap(({ predicted, measured, peak }) => [
      total(predicted),
      total(measured),
      peak,
    ]),
  );
  return frames(
    { way: ["full", "LoRA", "QLoRA"], recompute: [false, true] },
    ({ way, recompute }) => {
      const entry = entries.find((one) => one.way === way && one.recompute === recompute)!;
      return draw(entry, largest, way === "full" && !recompute ? guess : undefined);
    },
    { title: "Memory of one step", labels: { recompute: "recompute activations" } },
  );
}

const total = (memory: Memory) => PARTS.reduce((sum, part) => sum + memory[part], 0);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

function draw(entry: LedgerEntry, largest: number, guess: Memory | undefined): View {
  const { predicted, measured, peak } = entry;
  const rows = [
    ...PARTS.map((part) => [part, predicted[part], measured[part], guess?.[part]] as const),
    ["together", total(predicted), total(measured), guess && total(guess)] as const,
  ];
  const length = (bytes: number) => Math.max(1.5, WIDTH * bytes / largest);
  const bar = (y: number, bytes: number, color: string) =>
    `<rect x="${LEFT}" y="${y}" width="${
      length(bytes).toFixed(1)
    }" height="11" rx="2" fill="${color}"/><text x="${(LEFT + length(bytes) + 6).toFixed(1)}" y="${
      y + 10
    }" fill="currentColor" font-size="11">${megabytes(bytes)}</text>`;
  const bars = rows.flatMap(([name, foretold, found, guessed], i) => {
    const y = 30 + i * ROW;
    const bold = name === "together" ? 700 : 400;
    return [
      `<text x="0" y="${y + 17}" fill="currentColor" font-weight="${bold}">${name}</text>`,
      bar(y, foretold, PREDICTED),
      bar(y + 13, found, MEASURED),
      ...(guessed === undefined ? [] : [bar(y + 26, guessed, GUESSED)]),
    ];
  });
  const names = [[PREDICTED, "predicted"], [MEASURED, "measured"], [GUESSED, "your guess"]];
  const legend = names.slice(0, guess ? 3 : 2).map(([color, text], i) =>
    `<rect x="${LEFT + 100 * i}" y="4" width="14" height="11" rx="2" fill="${color}"/>` +
    `<text x="${LEFT + 100 * i + 20}" y="14" fill="currentColor">${text}</text>`
  );
  const height = 52 + rows.length * ROW;
  const alt = `${entry.way}${entry.recompute ? ", blocks computed again" : ""}: ${
    rows.map(([name, foretold, found]) =>
      `${name} ${megabytes(foretold)} predicted, ${megabytes(found)} measured`
    ).join("; ")
  }; at most ${megabytes(peak)} at one time.`;
  return new View(() => ({
    "text/html": scrolling(
      `<svg viewBox="0 0 640 ${height}" width="640" role="img" aria-label="${alt}" ` +
        `style="width:100%;max-width:640px;min-width:440px;height:auto" ` +
        `font-family="system-ui,sans-serif" font-size="12">${legend.join("")}${bars.join("")}` +
        `<text x="0" y="${height - 8}" fill="currentColor">The device gave at most ${
          megabytes(peak)
        } at one time.</text></svg>`,
    ),
    "text/plain": alt,
  }));
}
