/**
 * One place where the names of models become files, with one syntax:
 *
 * | Written | Means |
 * |---|---|
 * | `nano` | the model that comes with Tunebook |
 * | `gpt2`, `gpt2-medium`, `gpt2-large`, `gpt2-xl` | OpenAI's, from the Hugging Face hub |
 * | `hf:owner/name`, `hf:owner/name@revision` | a repository of the hub |
 * | anything else | a directory; `./gpt2` where a directory has a short name |
 *
 * @module
 */

import { basename, fromFileUrl, join, resolve } from "@std/path";
import { closestString } from "@std/text";
import { downloadSnapshot, type HubOptions } from "./hub.ts";
import { EMBEDDED_NAME, SHORT_NAMES } from "./names.ts";
import type { ResolvedDirectory, ResolvedModel } from "./resolved.ts";
import { findWeights } from "./safetensors/find.ts";

/** Options of {@linkcode resolveModel}; the hub's apply where one is asked. */
export type ResolveOptions = Omit<HubOptions, "revision">;

const SYNTAX = `expected a directory, "hf:owner/name", ${
  [...Object.keys(SHORT_NAMES), EMBEDDED_NAME].map((name) => `"${name}"`).join(", ")
}`;

/**
 * Finds a model's files, downloading them from the hub where the name says so.
 *
 * @param spec A directory, `hf:owner/name[@revision]`, or a short name
 * @param options Progress, signal, and how the hub is reached
 * @returns Where the files are
 * @throws {Deno.errors.NotFound} If there is no such model; the message says what was looked for
 * and where
 * @throws {RangeError} If the name is malformed
 * @throws {HubError} If the hub cannot be reached or refuses
 */
export async function resolveModel(
  spec: string,
  options: ResolveOptions = {},
): Promise<ResolvedModel> {
  if (spec.trim() === "") throw new RangeError(`Cannot find a model with an empty name: ${SYNTAX}`);
  if (spec === EMBEDDED_NAME) {
    return { ...await fromDirectory(spec, embeddedDirectory()), source: "embedded", name: spec };
  }
  if (Object.hasOwn(SHORT_NAMES, spec)) {
    return await fromHub(spec, SHORT_NAMES[spec], options);
  }
  if (spec.startsWith("hf:")) return await fromHub(spec, spec, options);
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(spec) ?? [];
  if (scheme !== undefined) {
    throw new RangeError(
      `Cannot find model ${JSON.stringify(spec)}: "${scheme}:" is not known, ${SYNTAX}`,
    );
  }
  return await fromDirectory(spec, resolve(spec));
}

function embeddedDirectory(): string {
  const url = new URL("../../data/nano", import.meta.url);
  if (url.protocol !== "file:") {
    throw new Deno.errors.NotFound(
      `Cannot find model "${EMBEDDED_NAME}": it comes with a copy of Tunebook on this machine, and this one was loaded from ${url.origin}`,
    );
  }
  return fromFileUrl(url);
}

async function fromHub(
  spec: string,
  address: string,
  options: ResolveOptions,
): Promise<ResolvedModel> {
  const rest = address.slice("hf:".length);
  const at = rest.indexOf("@");
  const repository = at < 0 ? rest : rest.slice(0, at);
  const revision = at < 0 ? "main" : rest.slice(at + 1);
  if (Object.hasOwn(SHORT_NAMES, repository)) {
    throw new RangeError(
      `Cannot find model ${JSON.stringify(spec)}: expected "hf:owner/name", did you mean ${
        JSON.stringify(SHORT_NAMES[repository])
      }`,
    );
  }
  const snapshot = await downloadSnapshot(repository, { ...options, revision }).catch((error) => {
    throw hintAtDirectory(spec, error);
  });
  return {
    ...await fromDirectory(spec, snapshot.directory),
    source: "hub",
    name: repository.split("/")[1],
    commit: snapshot.commit,
    notice: snapshot.notice,
  };
}

/** Where a directory has the name that was looked for on the hub, the error says how to mean it. */
function hintAtDirectory(spec: string, error: unknown): unknown {
  try {
    if (spec.includes(":") || !(error instanceof Error) || !Deno.statSync(spec).isDirectory) {
      return error;
    }
  } catch {
    return error;
  }
  error.message += `; to use the directory "${spec}", write "./${spec}"`;
  return error;
}

async function fromDirectory(spec: string, directory: string): Promise<ResolvedDirectory> {
  const cannot = `Cannot find model ${JSON.stringify(spec)}`;
  const info = await Deno.stat(directory).catch(() => undefined);
  if (info === undefined) {
    throw new Deno.errors.NotFound(
      `${cannot}: there is no directory "${directory}"${suggestion(spec)}`,
    );
  }
  if (!info.isDirectory) {
    throw new Deno.errors.NotFound(
      `${cannot}: "${directory}" is a file, expected the directory that holds "config.json" and the weights`,
    );
  }
  const weights = await findWeights(directory);
  const names = await Array.fromAsync(Deno.readDir(directory), (entry) => entry.name);
  if (!names.includes("config.json")) {
    throw new Deno.errors.NotFound(
      `${cannot}: directory "${directory}" holds "${basename(weights)}" but no "config.json"`,
    );
  }
  return {
    kind: "directory",
    spec,
    source: "directory",
    name: basename(directory),
    directory,
    config: join(directory, "config.json"),
    weights,
    files: names.sort(),
  };
}

function suggestion(spec: string): string {
  if (/^[\w.-]+\/[\w.-]+(@[\w./-]+)?$/.test(spec)) return `, did you mean "hf:${spec}"`;
  const names = [...Object.keys(SHORT_NAMES), EMBEDDED_NAME];
  const near = /[/\\]/.test(spec) ? undefined : closestString(spec, names);
  return near === undefined ? "" : `, and the nearest short name is "${near}"`;
}
