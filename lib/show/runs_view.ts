// Several runs side by side: settings that differ, losses, scores with intervals, answers.

import { assertArray } from "../kind_of.ts";
import { lineChart, type Series } from "./charts.ts";
import { type Figure, plotlyMimeType } from "./figure.ts";
import { staticFigureHtml } from "./figure_html.ts";
import type { StepRecord } from "./step_record.ts";
import { table } from "./table.ts";
import { escapeHtml } from "./theme.ts";
import { View } from "./view.ts";

/** One run, as {@linkcode runsView} shows it. */
export interface RunRecord {
  /** What it is called; another name for each run. */
  readonly name: string;
  /** Its settings by name; of values in values, only those that differ are shown. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Its steps, in order: `training.history`. */
  readonly history?: readonly StepRecord[];
  /** Its scores by metric, as `scoreMetrics()` of `tunebook/eval` gives them. */
  readonly scores?: Readonly<
    Record<string, { readonly corpus: number; readonly interval: readonly [number, number] }>
  >;
  /** Its answers. */
  readonly answers?: readonly {
    readonly instruction: string;
    readonly input: string;
    readonly output: string;
    readonly model_response: string;
  }[];
}

/** The most questions whose answers are shown. */
const MOST_ANSWERS = 50;

/**
 * Shows several runs side by side: the settings that differ, their losses, their scores with intervals, and their answers to
 * the same questions. No run is called the best: intervals that overlap may be the same model twice.
 *
 * @param runs The runs; what one of them does not have is left out or "unknown".
 * @returns The view.
 * @throws {RangeError} If there is no run, or two have one name.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { runsView } from "tunebook/show";
 *
 * const settings = { batchSize: 8, seed: 123 };
 * const view = runsView([
 *   { name: "a", settings: { ...settings, learningRate: 1e-4 }, history: [{ step: 1, loss: 3.1 }] },
 *   { name: "b", settings: { ...settings, learningRate: 5e-5 }, history: [{ step: 1, loss: 3.4 }] },
 * ]);
 * assertStringIncludes(view.text, "learningRate");
 * ```
 */
export function runsView(runs: readonly RunRecord[]): View {
  assertArray("compare", runs, "runs with a name and settings");
  if (runs.length === 0) throw new RangeError("Cannot compare no runs");
  const names = runs.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new RangeError(`Cannot compare two runs named "${twice}": give each another name`);
  }
  return new View(() => {
    const losses = lossesOf(runs);
    const chart = chartOf(runs);
    const scores = scoresOf(runs);
    const answers = answersOf(runs);
    const parts: [heading: string, views: View[]][] = [
      ["Settings that differ", settingsOf(runs)],
      ...(losses ? [["Losses", [...(chart ? [chart] : []), losses]] as [string, View[]]] : []),
      ...(scores ? [["Scores", scores] as [string, View[]]] : []),
      ...(answers ? [["Answers", [answers]] as [string, View[]]] : []),
    ];
    return {
      "text/html": parts.map(([heading, views]) =>
        `<section><h2>${escapeHtml(heading)}</h2>${
          views.map(({ html }) => html).join("\n")
        }</section>`
      ).join("\n"),
      "text/plain": parts.map(([heading, views]) =>
        [heading, ...views.map(({ text }) => text)].join("\n")
      ).join("\n\n"),
    };
  });
}

const UNKNOWN = "unknown";

/** A note is a paragraph: a caption is as wide as its table, and is cut where that scrolls. */
function note(text: string): View {
  return new View(() => ({
    "text/html": `<p style="overflow-wrap:anywhere">${escapeHtml(text)}</p>`,
    "text/plain": text,
  }));
}

/** A row a run, a column a setting that is not the same in all; those that are, in a note. */
function settingsOf(runs: readonly RunRecord[]): View[] {
  const flat = runs.map(({ settings }) => new Map(flatten(settings)));
  const names = [...new Set(flat.flatMap((settings) => [...settings.keys()]))];
  const valuesOf = (name: string) => flat.map((settings) => settings.get(name));
  const isSame = (name: string) => new Set(valuesOf(name)).size === 1;
  const [same, other] = [names.filter(isSame), names.filter((name) => !isSame(name))];
  const rows = runs.map(({ name }, i) => ({
    run: name,
    ...Object.fromEntries(other.map((key) => [key, flat[i].get(key) ?? UNKNOWN])),
  }));
  const equal = same.map((name) => `${name} ${flat[0].get(name)}`).join(", ");
  const notes = same.length === 0 ? [] : [note(`The same in all: ${equal}`)];
  return [...notes, table(rows, { maxRows: runs.length })];
}

/** Settings in settings get names with dots. */
function* flatten(
  settings: Readonly<Record<string, unknown>>,
  before = "",
): Generator<[string, string]> {
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isRecord) yield* flatten(value as Record<string, unknown>, `${before}${name}.`);
    else yield [`${before}${name}`, typeof value === "string" ? value : written(value)];
  }
}

/** A value as a person writes it: what arithmetic added at the 16th digit, as in 0.00030000000000000003, is left out. */
function written(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) => typeof part === "number" ? Number(part.toPrecision(14)) : part,
  );
}

const validationsOf = ({ history = [] }: RunRecord) =>
  history.flatMap(({ step, evaluation }) =>
    evaluation?.validationLoss === undefined ? [] : [{ step, loss: evaluation.validationLoss }]
  );

/** The curves: of validation where all runs that trained have one, otherwise of training. */
function chartOf(runs: readonly RunRecord[]): View | undefined {
  const trained = runs.filter(({ history = [] }) => history.length > 0);
  if (trained.length === 0) return;
  const isValidated = trained.every((run) => validationsOf(run).length > 1);
  const series = trained.map((run): Series => {
    const points = isValidated ? validationsOf(run) : run.history!;
    return {
      name: run.name,
      x: points.map(({ step }) => step),
      y: points.map(({ loss }) => loss),
    };
  });
  const yLabel = `${isValidated ? "validation" : "training"} loss (nats per token)`;
  const { bundle, text } = lineChart(series, { xLabel: "step", yLabel });
  // With as many points as a notebook holds.
  const { data, layout } = bundle[plotlyMimeType] as Pick<Figure, "data" | "layout">;
  // A drawing: a page of several runs runs nothing.
  return new View(() => ({
    "text/html": staticFigureHtml({ data, layout }, text),
    "text/plain": text,
  }));
}

function lossesOf(runs: readonly RunRecord[]): View | undefined {
  if (!runs.some(({ history = [] }) => history.length > 0)) return;
  const rows = runs.map((run) => {
    const { name, history = [] } = run;
    const last = history.at(-1);
    const validations = validationsOf(run);
    const best = validations.reduce(
      (best, one) => best === undefined || one.loss < best.loss ? one : best,
      undefined as { step: number; loss: number } | undefined,
    );
    return {
      run: name,
      steps: last?.step ?? UNKNOWN,
      "last training loss": last?.loss.toFixed(4) ?? UNKNOWN,
      "last validation loss": validations.at(-1)?.loss.toFixed(4) ?? UNKNOWN,
      "lowest validation loss": best ? `${best.loss.toFixed(4)} at step ${best.step}` : UNKNOWN,
    };
  });
  return table(rows, { maxRows: runs.length });
}

function scoresOf(runs: readonly RunRecord[]): View[] | undefined {
  const metrics = [...new Set(runs.flatMap(({ scores = {} }) => Object.keys(scores)))];
  if (metrics.length === 0) return;
  const rows = runs.map(({ name, scores = {} }) => ({
    run: name,
    ...Object.fromEntries(metrics.map((metric) => {
      const score = scores[metric];
      if (score === undefined) return [metric, UNKNOWN];
      const [low, high] = score.interval.map((end) => end.toFixed(4));
      return [metric, `${score.corpus.toFixed(4)} [${low}, ${high}]`];
    })),
  }));
  return [
    note("With intervals of 95 %; where they overlap, chance may have made the difference"),
    table(rows, { maxRows: runs.length }),
  ];
}

/** A row a question that any run was asked, a column a run. */
function answersOf(runs: readonly RunRecord[]): View | undefined {
  const questions = new Map<string, Record<string, string>>();
  for (const { name, answers = [] } of runs) {
    for (const { instruction, input, output, model_response } of answers) {
      const key = JSON.stringify([instruction, input, output]);
      const question = input === "" ? instruction : `${instruction}\n${input}`;
      const row = questions.get(key) ?? { question, reference: output };
      questions.set(key, { ...row, [`${name}:`]: model_response });
    }
  }
  if (questions.size === 0) return;
  const answering = runs.filter(({ answers = [] }) => answers.length > 0);
  const columns = [
    { label: "question", value: "question" },
    { label: "reference", value: "reference" },
    ...answering.map(({ name }) => ({
      label: name,
      value: (row: Record<string, string>) => row[`${name}:`] ?? "(not asked)",
    })),
  ];
  return table([...questions.values()], { columns, maxRows: MOST_ANSWERS });
}
