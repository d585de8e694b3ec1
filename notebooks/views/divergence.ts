// The first divergence finder of chapter 4: where does a model with a planted bug first differ from the reference?

import type { Gpt2 } from "tunebook";
import { frames, View } from "tunebook/show";
import {
  linear,
  PARTS,
  type Parts,
  runByHand,
  runLibrary,
  type Stage,
  STAGES,
  type Weights,
} from "./gpt2_parts.ts";
import { scrolling } from "./scrolling.ts";

/** A planted bug: parts that are exchanged, in all layers or from one on. */
interface Bug {
  readonly parts: Partial<Parts>;
  /** The only layer that has it, from 0; all by default. */
  readonly layer?: number;
  /** What somebody wrote. */
  readonly code: string;
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i], 0);

/** The planted bugs. Names do not tell. */
export const BUGS: Readonly<Record<string, Bug | undefined>> = {
  "none": undefined,
  "bug A": {
    parts: { headOf: (row, head, heads) => row.filter((_, i) => i % heads === head) },
    code: "headOf(row, head, heads) {\n  return row.filter((_, i) => i % heads === head);\n}",
  },
  "bug B": {
    parts: { score: (query, key) => dot(query, key) },
    code: "score(query, key) {\n  return dot(query, key);\n}",
  },
  "bug C": {
    parts: { widen: (row, weight, bias) => linear(row, weight, bias.map(() => 0)) },
    layer: 2,
    code: "// weights of layer 3\n" +
      'weight = file.get("h.2.mlp.c_fc.weight");\nbias = file.get("h.2.mlp.fc.bias") ?? zeros;',
  },
  "bug D": {
    parts: { layerNorm: (row, weight, bias) => PARTS.layerNorm(row, weight, bias, 1e-3) },
    code: "variance = mean(row.map((x) => (x - mean) ** 2));\n" +
      "return (row - mean) / Math.sqrt(variance + 1e-3) * weight + bias;",
  },
};

/** How far a stage is from the correct model's. */
export interface StageError {
  readonly layer: number;
  readonly name: string;
  /** ‖difference‖ / ‖reference‖ over all tokens; not a number if the stage is missing. */
  readonly error: number;
}

/**
 * Compares runs stage by stage.
 *
 * @param stages What is tested.
 * @param reference What is right.
 * @returns Relative errors, in the order of the computation.
 */
export function errorsOf(stages: readonly Stage[], reference: readonly Stage[]): StageError[] {
  return stages.map(({ layer, name, rows }, i) => {
    const [values, right] = [rows.flat(), reference[i].rows.flat()];
    const difference = Math.hypot(...values.map((value, j) => value - right[j]));
    return { layer, name, error: difference / Math.hypot(...right) };
  });
}

/**
 * Runs one of {@linkcode BUGS}.
 *
 * @param model Gives the shape.
 * @param weights Its weights.
 * @param tokens What it reads.
 * @param name The bug.
 * @returns All stages.
 */
export function runWithBug(
  model: Gpt2,
  weights: Weights,
  tokens: readonly number[],
  name: string,
): Stage[] {
  const bug = BUGS[name];
  return runByHand(
    model,
    weights,
    tokens,
    (layer) =>
      bug && (bug.layer === undefined || bug.layer === layer) ? { ...PARTS, ...bug.parts } : PARTS,
  );
}

/** Errors above this are red by default: a hundred times what float32 rounds away here. */
export const TOLERANCE = 1e-5;

/**
 * Shows by layer and stage how far a model with a bug is from the correct one.
 *
 * @param model The model.
 * @param weights Its weights.
 * @param tokens What it reads.
 * @returns Buttons for the bugs, and a switch for the code of the first red cell.
 */
export async function divergenceFinder(
  model: Gpt2,
  weights: Weights,
  tokens: readonly number[],
): Promise<View> {
  const reference = await runLibrary(model, tokens);
  const errors = new Map(
    Object.keys(BUGS).map((name) => [
      name,
      errorsOf(runWithBug(model, weights, tokens, name), reference),
    ]),
  );
  return frames(
    { bug: Object.keys(BUGS), reveal: [false, true] },
    ({ bug, reveal }) => draw(errors.get(bug)!, model.layers, reveal ? BUGS[bug] : undefined),
    {
      title: "First divergence finder",
      start: { bug: "bug A" },
      labels: { bug: "planted", reveal: "code of the first red cell" },
    },
  );
}

const [LEFT, TOP, WIDTH, HEIGHT] = [78, 42, 74, 34];

function draw(errors: readonly StageError[], layers: number, bug: Bug | undefined): View {
  const first = errors.findIndex(({ error }) => !(error <= TOLERANCE));
  const where = ({ layer, name }: StageError) =>
    layer < 0
      ? "the embedding"
      : layer === layers
      ? "the last norm"
      : `${name} of layer ${layer + 1}`;
  const cells = errors.map((stage, i) => {
    const { layer, name, error } = stage;
    const column = layer < 0 || layer === layers ? 0 : STAGES.indexOf(name);
    const [x, y] = [LEFT + column * WIDTH, TOP + (layer + 1) * HEIGHT];
    const red = !(error <= TOLERANCE);
    // Rounding is pale; every factor of 10 above the tolerance is darker.
    const strength = red ? Math.min(1, 0.45 + 0.11 * Math.log10(error / TOLERANCE)) : 0.16;
    const stroke = i === first ? 'stroke="currentColor" stroke-width="3"' : "";
    return `<rect x="${x + 2}" y="${y + 2}" width="${WIDTH - 4}" height="${HEIGHT - 4}" rx="3" ` +
      `fill="${red ? "#d9534f" : "#2a9461"}" fill-opacity="${strength.toFixed(2)}" ${stroke}>` +
      `<title>${where(stage)}: ${error.toExponential(1)}</title></rect>` +
      `<text x="${x + WIDTH / 2}" y="${y + 21}" text-anchor="middle" fill="currentColor" ` +
      `font-weight="${i === first ? 700 : 400}">${
        error === 0 ? "0" : error.toExponential(0)
      }</text>`;
  });
  const label = (x: number, y: number, text: string, anchor: string) =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="currentColor">${text}</text>`;
  const columns = STAGES.map((name, i) => label(LEFT + (i + 0.5) * WIDTH, TOP - 8, name, "middle"));
  const rows = ["embed", ...Array.from({ length: layers }, (_, i) => `layer ${i + 1}`), "norm"]
    .map((name, i) => label(LEFT - 8, TOP + i * HEIGHT + 21, name, "end"));
  const [width, height] = [LEFT + STAGES.length * WIDTH + 4, TOP + (layers + 2) * HEIGHT + 4];
  const words = first < 0
    ? `Every stage is within ${TOLERANCE} of the correct model.`
    : `The first red cell is ${where(errors[first])}, with a relative error of ${
      errors[first].error.toExponential(1)
    }.`;
  const code = bug
    ? `<pre style="background:rgba(128,128,128,0.12);padding:8px 12px;border-radius:4px;margin:6px 0">${
      bug.code.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    }</pre>`
    : "";
  return new View(() => ({
    "text/html": scrolling(
      `<svg viewBox="0 0 ${width} ${height}" ` +
        `width="${width}" role="img" aria-label="${words}" font-size="12" ` +
        `font-family="system-ui,sans-serif" style="width:100%;max-width:${width}px;min-width:520px;` +
        `height:auto">${columns.join("")}${rows.join("")}${cells.join("")}</svg>`,
    ) +
      `<p style="margin:4px 0"><b>${words}</b></p>${code}`,
    "text/plain": bug ? `${words}\n${bug.code}` : words,
  }));
}
