// Remembers what a result was made from: device, seeds, hashes of data and weights. Imports nothing,
// so that every room may record.

/** The MIME type under which the kernel sends provenance to the program that runs the notebook. */
export const provenanceMimeType = "application/vnd.tunebook.provenance+json";

/** One recorded fact: its kind, and whatever describes it. */
export interface ProvenanceRecord {
  /** What the facts are about, such as `"device"`, `"seed"`, `"data"` or `"weights"`. */
  kind: string;
  /** The facts themselves, JSON values. */
  [fact: string]: unknown;
}

const records: ProvenanceRecord[] = [];

/**
 * Records facts about how a result is made. Inside a Jupyter kernel they are also sent as an output
 * that shows nothing, which the runner collects into the manifest.
 *
 * @param kind What the facts are about, such as `"device"`, `"seed"`, `"data"` or `"weights"`.
 * @param facts JSON values by name; copied, so later changes do not reach the record.
 * @returns A promise that settles when the facts were sent. It never rejects, and need not be awaited.
 * @throws {TypeError} If `kind` is empty or the facts are not JSON values.
 *
 * @example Recording a seed
 * ```ts
 * import { recorded, recordProvenance } from "./provenance.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await recordProvenance("seed", { name: "shuffle", value: 123 });
 * assertEquals(recorded().at(-1), { kind: "seed", name: "shuffle", value: 123 });
 * ```
 */
export function recordProvenance(kind: string, facts: Record<string, unknown>): Promise<void> {
  if (typeof kind !== "string" || kind === "") {
    throw new TypeError(
      `Cannot record provenance: kind must be a non-empty string, got ${
        JSON.stringify(kind) ?? String(kind)
      }`,
    );
  }
  assertJson(facts, kind);
  if (typeof facts !== "object" || facts === null || Array.isArray(facts)) {
    throw new TypeError(`Cannot record provenance of "${kind}": facts must be an object`);
  }
  const entry: ProvenanceRecord = JSON.parse(JSON.stringify({ ...facts, kind }));
  records.push({ ...entry });
  return send(entry);
}

/**
 * What was recorded in this process so far.
 *
 * @returns The records in the order in which they were made.
 */
export function recorded(): readonly ProvenanceRecord[] {
  return structuredClone(records);
}

/**
 * Whether what is recorded reaches a report: in a Jupyter kernel. Elsewhere facts that take long to find need not be found.
 *
 * @returns Whether this is a kernel.
 */
export function isReported(): boolean {
  try {
    return Deno.jupyter !== undefined;
  } catch {
    return false; // the access throws outside of a kernel
  }
}

async function send(entry: ProvenanceRecord): Promise<void> {
  try {
    // Outside a Jupyter kernel the access throws, and remembering is all there is to do.
    const channel = Deno.jupyter as unknown as {
      broadcast(type: string, content: Record<string, unknown>): Promise<void>;
    };
    await channel.broadcast("display_data", {
      data: { [provenanceMimeType]: entry },
      metadata: {},
      transient: {},
    });
  } catch {
    // A fact that cannot be sent must not end the work that it describes.
  }
}

/** JSON.stringify drops undefined, turns NaN to null and stops at cycles: say so by name instead. */
function assertJson(value: unknown, path: string, ancestors: unknown[] = []): void {
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  const plain = typeof value === "object" &&
    (Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value)));
  if (!plain || ancestors.includes(value)) {
    const what = plain ? "a cycle" : typeof value === "object" ? "an instance" : String(value);
    throw new TypeError(
      `Cannot record provenance: "${path}" must hold JSON values only, got ${what}`,
    );
  }
  for (const [key, child] of Object.entries(value)) {
    assertJson(child, `${path}.${key}`, [...ancestors, value]);
  }
}
