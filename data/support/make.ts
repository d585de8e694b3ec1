/**
 * Writes `support.jsonl`, a line for each request of `tasks.yaml`, and `review.csv`, a row for each draft of `drafts.yaml`.
 *
 * `deno run -A data/support/make.ts`
 */

import { stringify } from "@std/csv/stringify";
import { parse } from "@std/yaml/parse";

/** A task: what is asked for, in several wordings, and the steps. */
export interface Task {
  readonly domain: string;
  readonly topic: string;
  readonly answer: string;
  readonly requests: readonly string[];
}

/** What a teacher model drafted, and what a reviewer made of it. */
export interface Draft {
  readonly domain: string;
  readonly topic: string;
  readonly request: string;
  readonly draft: string;
  readonly verdict: "accept" | "revise" | "reject";
  readonly reason?: string;
  readonly revision?: string;
}

/** The columns of `review.csv`. */
const COLUMNS = [
  ...["number", "domain", "topic", "instruction", "draft"],
  ...["verdict", "revision", "reason"],
] as const;

const here = (name: string) => new URL(name, import.meta.url);
const read = async (name: string) => parse(await Deno.readTextFile(here(name)));

/** The tasks, as they are written. */
export async function readTasks(): Promise<Task[]> {
  return await read("tasks.yaml") as Task[];
}

/** The drafts, as they are written. */
export async function readDrafts(): Promise<Draft[]> {
  return await read("drafts.yaml") as Draft[];
}

/** All requests as JSON Lines. */
export function toJsonl(tasks: readonly Task[]): string {
  return tasks.flatMap(({ domain, topic, answer, requests }) =>
    requests.map((instruction, i) => {
      const source = i === 0 ? "written" : "paraphrase";
      return JSON.stringify({ instruction, output: answer.trim(), domain, topic, source }) + "\n";
    })
  ).join("");
}

/** All drafts as a table for a spreadsheet. */
export function toReview(drafts: readonly Draft[]): string {
  const rows = drafts.map(({ request, draft, revision = "", reason = "", ...rest }, i) => ({
    ...rest,
    number: i + 1,
    instruction: request,
    draft: draft.trim(),
    revision: revision.trim(),
    reason,
  }));
  return stringify(rows, { columns: COLUMNS });
}

if (import.meta.main) {
  await Deno.writeTextFile(here("support.jsonl"), toJsonl(await readTasks()));
  await Deno.writeTextFile(here("review.csv"), toReview(await readDrafts()));
}
