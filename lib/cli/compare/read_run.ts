// A run, read from the folder of a training or from a notebook's report.

import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { readRecord } from "../../pipeline/record.ts";
import { type Notebook, readNotebook } from "../../runtime/notebook.ts";
import { asManifest, readReport } from "../../runtime/report/embedded.ts";
import type { Manifest } from "../../runtime/manifest.ts";
import type { RunRecord } from "../../show/runs_view.ts";
import type { StepRecord } from "../../show/step_record.ts";

/**
 * Reads a run.
 *
 * @param path A training's folder, a report, or an executed notebook.
 * @returns The run, with the path as its name.
 * @throws {TypeError} If the path leads to something else.
 */
export async function readRun(path: string): Promise<RunRecord> {
  const { isDirectory } = await Deno.stat(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot find the run "${path}"`);
  });
  if (isDirectory) return await fromFolder(path);
  if (/\.html?$/i.test(path)) {
    const { notebook, manifest } = await readReport(await Deno.readTextFile(path));
    return fromReport(path, notebook, manifest);
  }
  const notebook = await readNotebook(path);
  return fromReport(path, notebook, asManifest(notebook.metadata.tunebook));
}

/** What `tunebook train`, or a notebook's `train()` and `save()`, left. */
async function fromFolder(path: string): Promise<RunRecord> {
  const record = await readRecord(resolve(path));
  const training = record?.trainings.at(-1);
  if (record === undefined || training === undefined) {
    throw new TypeError(
      `Cannot compare "${path}": it holds no record of a training; expected the folder that one was saved in, or a report`,
    );
  }
  const { settings, adapter, mask, maxLength, seed, examples, data, device } = training;
  return {
    name: path,
    settings: {
      base: record.base,
      ...(record.format && { format: record.format }),
      ...{ mask, maxLength, seed, examples, data: data.slice(0, 12), device },
      adapter: adapter ?? "none",
      ...settings,
    },
    history: await readSteps(join(path, "steps.jsonl")) ?? [{
      step: training.steps,
      loss: training.loss ?? NaN,
      ...(training.evaluation && { evaluation: training.evaluation }),
    }],
  };
}

async function readSteps(path: string): Promise<StepRecord[] | undefined> {
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  // A training that runs may be writing its last line.
  const lines = text?.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter((line) =>
    line !== ""
  );
  try {
    return lines?.map((line) => JSON.parse(line));
  } catch (error) {
    throw new SyntaxError(`Cannot read "${path}": ${(error as Error).message}`);
  }
}

function fromReport(
  path: string,
  notebook: Notebook | undefined,
  manifest: Manifest | undefined,
): RunRecord {
  if (manifest === undefined) {
    throw new TypeError(
      `Cannot compare "${path}": it has no manifest; expected a report or notebook that "tunebook run" made`,
    );
  }
  const facts = (kind: string) => manifest.provenance.filter((entry) => entry.kind === kind);
  const scores = facts("metric").flatMap(({ metric, corpus, interval }) =>
    typeof metric === "string" && typeof corpus === "number" && isInterval(interval)
      ? [[metric, { corpus, interval }] as const]
      : []
  );
  return {
    name: path,
    settings: {
      notebook: manifest.notebook.name,
      code: manifest.notebook.sha256.slice(0, 12),
      ...manifest.parameters,
    },
    ...(notebook && { history: curveOf(notebook) }),
    scores: Object.fromEntries(scores), // the last of each metric
  };
}

const isInterval = (value: unknown): value is [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every((end) => typeof end === "number");

/** The steps of the last loss curve that the notebook drew. */
function curveOf({ cells }: Notebook): StepRecord[] {
  const outputs = cells.flatMap((cell) => cell.cell_type === "code" ? cell.outputs : []);
  const figures = outputs.flatMap((output) => {
    const data = "data" in output ? output.data as Record<string, unknown> : {};
    return tracesOf(data["application/vnd.plotly.v1+json"]);
  });
  const traces = figures.findLast((traces) => traces.has("training"));
  if (traces === undefined) return [];
  const validation = traces.get("validation") ?? new Map<number, number>();
  return Array.from(traces.get("training")!, ([step, loss]) => ({
    step,
    loss,
    ...(validation.has(step) && { evaluation: { validationLoss: validation.get(step)! } }),
  }));
}

/** Values by position of a figure's lines, by their names. */
function tracesOf(figure: unknown): Map<string, Map<number, number>>[] {
  const { data } = (figure ?? {}) as { data?: unknown };
  if (!Array.isArray(data)) return [];
  const traces = new Map<string, Map<number, number>>();
  for (const { name, x, y } of data) {
    if (typeof name !== "string" || !Array.isArray(x) || !Array.isArray(y)) continue;
    const points = x.map((at, i) => [at, y[i]] as [number, number])
      .filter((point) => point.every(Number.isFinite));
    traces.set(name, new Map(points));
  }
  return [traces];
}
