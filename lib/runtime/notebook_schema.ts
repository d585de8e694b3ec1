// The schema of nbformat 4.5, and the conversion of older minor versions to 4.5.

import { z } from "zod";
import type { Cell, Notebook } from "./notebook_types.ts";

/** JSON nested deeper than this is refused, because programs that read notebooks recurse. */
export const MAX_DEPTH = 200;

const JSON_MIME = /^(?:[a-zA-Z0-9]+\/[a-zA-Z0-9\-+.]+\+json|application\/json)$/;

const text = z.union([z.string(), z.array(z.string())], {
  error: "expected a string or an array of strings",
}).transform((value) => typeof value === "string" ? value : value.join(""));

const count = z.custom<number | null>(
  (value) => value === null || (Number.isInteger(value) && (value as number) >= 0),
  { error: "expected null or a whole number of at least 0" },
);

const metadata = z.looseObject({});

/** Display data by MIME type: JSON types hold values, others text. */
export const bundle = z.record(z.string(), z.unknown()).transform((data, context) => {
  for (const [type, value] of Object.entries(data)) {
    if (JSON_MIME.test(type) || typeof value === "string") continue;
    if (Array.isArray(value) && value.every((line) => typeof line === "string")) {
      data[type] = value.join("");
    } else {
      context.addIssue({
        code: "custom",
        path: [type],
        message: "expected a string or an array of strings",
      });
    }
  }
  return data;
});

const output = z.discriminatedUnion("output_type", [
  z.object({ output_type: z.literal("stream"), name: z.string(), text }),
  z.object({ output_type: z.literal("display_data"), data: bundle, metadata }),
  z.object({
    output_type: z.literal("execute_result"),
    execution_count: count,
    data: bundle,
    metadata,
  }),
  z.object({
    output_type: z.literal("error"),
    ename: z.string(),
    evalue: z.string(),
    traceback: z.array(z.string()),
  }),
], { error: 'expected "stream", "display_data", "execute_result" or "error"' });

const id = z.string().regex(
  /^[a-zA-Z0-9_-]{1,64}$/,
  "expected 1 to 64 letters, digits, hyphens and underscores",
).optional();

const tags = z.array(z.string().regex(/^[^,]+$/, "expected a tag without commas"))
  .transform((values) => [...new Set(values)]).optional();

const cellName = z.string().min(1).optional();

const jupyter = z.looseObject({}).optional();

const cellMetadata = z.looseObject({ tags, name: cellName, jupyter });

const attachments = z.record(z.string(), bundle).optional();

const cell = z.discriminatedUnion("cell_type", [
  z.object({
    cell_type: z.literal("code"),
    id,
    metadata: z.looseObject({
      tags,
      name: cellName,
      jupyter,
      collapsed: z.boolean().optional(),
      scrolled: z.union([z.boolean(), z.literal("auto")], {
        error: 'expected true, false or "auto"',
      }).optional(),
      execution: z.looseObject({}).optional(),
    }),
    source: text,
    execution_count: count,
    outputs: z.array(output),
  }),
  z.object({
    cell_type: z.literal("markdown"),
    id,
    metadata: cellMetadata,
    source: text,
    attachments,
  }),
  z.object({
    cell_type: z.literal("raw"),
    id,
    metadata: z.looseObject({ tags, name: cellName, jupyter, format: z.string().optional() }),
    source: text,
    attachments,
  }),
], { error: 'expected "code", "markdown" or "raw"' });

const notebook = z.object({
  nbformat: z.literal(4),
  nbformat_minor: z.int().min(0).max(5),
  metadata: z.looseObject({
    kernelspec: z.looseObject({ name: z.string(), display_name: z.string() }).optional(),
    language_info: z.looseObject({ name: z.string() }).optional(),
    orig_nbformat: z.int().min(1).optional(),
    title: z.string().optional(),
    authors: z.array(z.unknown()).optional(),
  }),
  cells: z.array(cell),
});

/** The work of {@linkcode parseNotebook}. */
export function parseNotebookJson(source: string, name: string): Notebook {
  const refuse = (reason: string) => new SyntaxError(`Cannot read notebook "${name}": ${reason}`);
  let json: unknown;
  try {
    // A byte order mark is not valid JSON, but some editors write one.
    json = JSON.parse(source.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw refuse(`it is not JSON (${(error as Error).message.replace(/\s+/g, " ")})`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw refuse(`expected an object, got ${describe(json)}`);
  }
  refuseFormat(json as Record<string, unknown>, refuse);
  const deep = findDeep(json);
  if (deep !== undefined) throw refuse(`"${deep}" is nested deeper than ${MAX_DEPTH} levels`);
  const parsed = notebook.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = formatPath(issue.path);
    const got = describe(issue.path.reduce((value: any, key) => value?.[key], json));
    throw refuse(
      `${where}: ${issue.message.replace(/^Invalid input: /, "").replace(/, received .*/, "")}, ` +
        `got ${got}`,
    );
  }
  const cells = withIds(parsed.data.cells as (Cell & { id?: string })[]);
  return { nbformat: 4, nbformat_minor: 5, metadata: parsed.data.metadata, cells } as Notebook;
}

function refuseFormat(json: Record<string, unknown>, refuse: (reason: string) => SyntaxError) {
  const { nbformat: major, nbformat_minor: minor } = json;
  if (typeof major !== "number" || !Number.isInteger(major)) {
    throw refuse(`nbformat: expected a whole number, got ${describe(major)}`);
  }
  if (major < 4) {
    throw refuse(
      `its format is ${major}, older than 4.0; convert it first with ` +
        `"jupyter nbconvert --to notebook --nbformat 4"`,
    );
  }
  if (major > 4 || (typeof minor === "number" && minor > 5)) {
    throw refuse(`its format is ${major}.${minor ?? 0}, newer than 4.5, which is the newest known`);
  }
}

/** Gives an id to each cell that has none or repeats an earlier one. */
function withIds(cells: (Cell & { id?: string })[]): Cell[] {
  const taken = new Set(cells.flatMap((cell) => cell.id === undefined ? [] : [cell.id]));
  const seen = new Set<string>();
  return cells.map((cell, index) => {
    let { id } = cell;
    if (id === undefined || seen.has(id)) {
      for (let salt = 0;; salt++) {
        id = fnv1a(`${index} ${salt} ${cell.source}`);
        if (!taken.has(id)) break;
      }
      taken.add(id);
    }
    seen.add(id);
    return { ...cell, id };
  });
}

/** FNV-1a over UTF-16 units, 32 bits, as 8 hex digits: for names, not for secrets. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** The path of something nested deeper than {@linkcode MAX_DEPTH}, found without recursion. */
function findDeep(root: unknown): string | undefined {
  let level: { value: object; top: string }[] = [{ value: root as object, top: "" }];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return level[0].top;
    level = level.flatMap(({ value, top }) =>
      Object.entries(value).flatMap(([key, item]) =>
        typeof item === "object" && item !== null ? [{ value: item, top: top || key }] : []
      )
    );
  }
}

/** A path in JSON as code would write it. */
export function formatPath(path: PropertyKey[]): string {
  return path.map((key, index) => {
    if (typeof key === "number") return `[${key}]`;
    const plain = /^[A-Za-z_$][\w$]*$/.test(String(key));
    return plain ? `${index > 0 ? "." : ""}${String(key)}` : `[${JSON.stringify(key)}]`;
  }).join("");
}

/** What a value is, in a few words. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") {
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  }
  return `${value}`;
}
