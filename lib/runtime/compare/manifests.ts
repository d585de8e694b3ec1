// What changed between two runs: code, parameters, data, weights, versions, device, seeds.

import type { Manifest, ProvenanceEntry } from "../manifest.ts";

/** One thing that changed. */
export interface Change {
  /** What kind of thing. */
  kind: "code" | "parameters" | "data" | "weights" | "versions" | "machine" | "settings";
  /** One phrase that names it. */
  text: string;
}

/** Kinds of provenance by what they are about. */
const KINDS: Record<string, Change["kind"]> = {
  data: "data",
  model: "weights",
  weights: "weights",
  device: "machine",
  ranks: "machine",
};

/**
 * Compares two manifests.
 *
 * @param before The earlier one.
 * @param after The later one.
 * @returns The changes, in a stable order; empty if bit-identical results are expected. Times do
 * not count.
 */
export function compareManifests(before: Manifest, after: Manifest): Change[] {
  return [
    ...compareCode(before, after),
    ...compareRecords("parameters", "parameter ", before.parameters, after.parameters),
    ...compareProvenance(before.provenance, after.provenance),
    ...compareVersions(before, after),
  ];
}

function compareCode(before: Manifest, after: Manifest): Change[] {
  const changes: Change[] = [];
  const change = (text: string) => changes.push({ kind: "code", text });
  const olds = new Map(before.cells.map((cell) => [cell.id, cell.sha256]));
  for (const [index, { id, sha256 }] of after.cells.entries()) {
    const old = olds.get(id);
    if (old === undefined || sha256 === undefined || old === sha256) continue;
    // The parameters cell is reported as parameters.
    if (/^injected-parameters/.test(id)) continue;
    change(`the code of cell "${id}" (number ${index + 1} to run)`);
  }
  const modules = compareRecords(
    "code",
    "module ",
    before.modules ?? {},
    after.modules ?? {},
    false,
  );
  changes.push(...modules);
  const [was, is] = [before.notebook.sha256, after.notebook.sha256];
  if (was !== is && !changes.some(({ text }) => text.startsWith("the code of"))) {
    change("the notebook's cells or text");
  }
  return changes;
}

function compareVersions(before: Manifest, after: Manifest): Change[] {
  const changes: Change[] = [];
  for (const [key, name] of Object.entries(VERSIONS)) {
    const [was, is] = [before[key as keyof Manifest], after[key as keyof Manifest]];
    if (was !== is) changes.push({ kind: "versions", text: `${name} ${is} instead of ${was}` });
  }
  // A library that is not run from a folder has a version and no hash.
  const { library: was } = before, { library: is } = after;
  if (was !== undefined && is !== undefined && was !== is && before.tunebook === after.tunebook) {
    changes.push({ kind: "versions", text: `Tunebook ${after.tunebook}'s own files` });
  }
  if (before.os !== after.os) {
    changes.push({ kind: "machine", text: `system ${after.os} instead of ${before.os}` });
  }
  if (before.cores !== after.cores) {
    const text = `${after.cores} logical processors instead of ${before.cores}`;
    changes.push({ kind: "machine", text });
  }
  return changes;
}

const VERSIONS = { tunebook: "Tunebook", deno: "Deno", v8: "V8", typescript: "TypeScript" };

/** Entries are paired by kind and place: the second data set with the second. */
function compareProvenance(
  before: readonly ProvenanceEntry[],
  after: readonly ProvenanceEntry[],
): Change[] {
  const changes: Change[] = [];
  const kinds = [...new Set([...before, ...after].map(({ kind }) => kind))];
  for (const kind of kinds) {
    const [olds, news] = [before, after].map((list) => recordsOf(kind, list));
    const about = KINDS[kind] ?? "settings";
    if (olds.length !== news.length) {
      changes.push({
        kind: about,
        text: `${news.length} records of ${kind} instead of ${olds.length}`,
      });
      continue;
    }
    for (const [index, old] of olds.entries()) {
      const now = news[index];
      const name = String(now.source ?? now.name ?? (olds.length > 1 ? index + 1 : ""));
      for (const fact of new Set([...Object.keys(old), ...Object.keys(now)])) {
        // A judge's replies are outputs and are compared as such.
        if (/^(kind|replies|replay)$/.test(fact)) continue;
        if (JSON.stringify(old[fact]) === JSON.stringify(now[fact])) continue;
        // Reports from before models' hashes were recorded do not say what the weights were.
        if (kind === "model" && fact === "sha256" && old.sha256 === undefined) continue;
        const text = /sha256|commit/.test(fact)
          ? `the content of ${kind} ${quoteName(name)}`
          : `${kind} ${quoteName(name)}: ${fact} ${shown(now[fact])} instead of ${
            shown(old[fact])
          }`;
        changes.push({ kind: about, text: text.replace(/ +(?=:| )/g, "").trim() });
      }
    }
  }
  return changes;
}

function recordsOf(kind: string, list: readonly ProvenanceEntry[]): ProvenanceEntry[] {
  const found = list.filter((one) => one.kind === kind);
  // Packages are loaded side by side: which is first differs from run to run.
  return kind === "package"
    ? found.sort((a, b) => String(a.source) < String(b.source) ? -1 : 1)
    : found;
}

function compareRecords(
  kind: Change["kind"],
  what: string,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  values = true,
): Change[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => {
      const told = values ? `: ${shown(after[name])} instead of ${shown(before[name])}` : "";
      return { kind, text: `${what}"${name}"${told}` };
    });
}

const quoteName = (name: string) => name === "" ? "" : `"${name}"`;

function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
