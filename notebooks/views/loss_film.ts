// The loss film of chapter 5: the same texts seen by a model at several steps of its training, each token coloured by how
// much it surprised the model.

import { escape } from "@std/html/entities";
import type { Network, Tokenizer } from "tunebook";
import { frames, tokenText, View, visibleText } from "tunebook/show";
import { logitsAt } from "./next_tokens.ts";

/** A text of the film. */
export interface Scene {
  /** What it is called. */
  readonly title: string;
  /** Its tokens. */
  readonly ids: readonly number[];
  /** The first token whose loss is shown; those before it are only read. */
  readonly from: number;
}

/** The losses of all scenes at one step. */
export interface Shot {
  readonly step: number;
  /** A list a scene: the loss of each shown token, in nats. */
  readonly losses: readonly (readonly number[])[];
}

/**
 * How much each token of a text surprises a model.
 *
 * @param model The model.
 * @param ids The text's tokens.
 * @param from The first token that is asked about, at least 1.
 * @returns The negative log-probability of each token from there on, in nats.
 * @throws {RangeError} If the text has no such token.
 */
export async function tokenLosses(
  model: Network,
  ids: readonly number[],
  from: number,
): Promise<number[]> {
  if (ids.length <= from) {
    throw new RangeError(
      `Cannot measure the losses of a text of ${ids.length} tokens from token ${from} on: expected a longer text`,
    );
  }
  const rows = Int32Array.from({ length: ids.length - from }, (_, i) => from - 1 + i);
  const values = await logitsAt(model, ids.slice(0, -1), rows);
  const width = model.vocabularySize;
  return Array.from(rows, (row, i) => {
    let largest = -Infinity;
    for (let id = 0; id < width; id++) largest = Math.max(largest, values[i * width + id]);
    let sum = 0;
    for (let id = 0; id < width; id++) sum += Math.exp(values[i * width + id] - largest);
    return largest + Math.log(sum) - values[i * width + ids[row + 1]];
  });
}

/**
 * Takes a shot of all scenes.
 *
 * @param model The model as it is now.
 * @param scenes The texts.
 * @param step The step that it is at.
 * @returns The losses.
 */
export async function takeShot(
  model: Network,
  scenes: readonly Scene[],
  step: number,
): Promise<Shot> {
  const losses: number[][] = [];
  for (const { ids, from } of scenes) losses.push(await tokenLosses(model, ids, from));
  return { step, losses };
}

/**
 * Shows a film: a slider over the steps.
 *
 * @param scenes The texts.
 * @param shots Their losses, a shot a step.
 * @param tokenizer The model's tokenizer.
 * @returns The view; the redder a token, the more it surprised the model.
 */
export function lossFilm(
  scenes: readonly Scene[],
  shots: readonly Shot[],
  tokenizer: Tokenizer,
): View {
  return frames(
    { step: shots.map(({ step }) => step) },
    ({ step }) => surpriseView(scenes, shots.find((shot) => shot.step === step)!.losses, tokenizer),
    { title: "Loss film" },
  );
}

/** From this loss on, in nats, a token has the full colour: one in 3,000 guesses. */
const FULL = 8;

/**
 * Shows texts, each token coloured by how much it surprised the model.
 *
 * @param scenes The texts.
 * @param losses A list per text: the loss of each shown token, in nats.
 * @param tokenizer The model's tokenizer.
 * @returns The view; the redder a token, the more it surprised the model.
 */
export function surpriseView(
  scenes: readonly Scene[],
  losses: Shot["losses"],
  tokenizer: Tokenizer,
): View {
  const rows = scenes.map(({ title, ids, from }, scene) => {
    const shown = losses[scene];
    const mean = shown.reduce((sum, loss) => sum + loss, 0) / shown.length;
    const chips = shown.map((loss, k) => {
      const text = escape(visibleText(tokenText(ids[from + k], tokenizer)));
      const share = Math.min(1, loss / FULL);
      const percent = 100 * Math.exp(-loss);
      const probability = percent.toFixed(percent < 1 ? 2 : percent < 10 ? 1 : 0);
      return `<span title="${
        loss.toFixed(2)
      } nats, probability ${probability} %" style="background:rgba(217,83,79,${
        (0.75 * share).toFixed(2)
      });border-radius:3px;padding:2px 3px;margin:1px;display:inline-block;white-space:pre">${text}</span>`;
    });
    return {
      html: `<p style="margin:8px 0 2px"><b>${escape(title)}</b>: mean loss ${
        mean.toFixed(2)
      }</p><div style="font:12.5px ui-monospace,monospace;line-height:1.9">${chips.join("")}</div>`,
      text: `${title}: mean loss ${mean.toFixed(2)}; token by token ${
        shown.map((loss) => loss.toFixed(1)).join(" ")
      }`,
    };
  });
  return new View(() => ({
    "text/html": `<div>${rows.map(({ html }) => html).join("")}</div>`,
    "text/plain": rows.map(({ text }) => text).join("\n"),
  }));
}
