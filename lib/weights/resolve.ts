/**
 * Resolves the names of models to files. The syntax:
 *
 * | Written | Means |
 * |---|---|
 * | `nano` | the model that comes with Tunebook |
 * | `gpt2-medium`, `smollm2-135m-instruct`, … | a {@linkcode SHORT_NAMES} entry: from the hub |
 * | `hf:owner/name`, `hf:owner/name@revision` | a repository of the Hugging Face hub |
 * | `hf:owner/name/file.gguf`, also with `@revision` | a GGUF file in a repository of the hub |
 * | `ollama:name`, `ollama:name:tag` | a model of the local Ollama, read in place |
 * | anything else | a directory or a GGUF file; `./gpt2` if a directory has a short name |
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { embeddedDirectory } from "./embedded.ts";
import { downloadSnapshot, HubError, SNAPSHOT_OPTIONS, type SnapshotOptions } from "./hub.ts";
import { downloadFile } from "./hub/file.ts";
import { EMBEDDED_NAME, SHORT_NAMES } from "./names.ts";
import { resolveOllama } from "./ollama_store.ts";
import type { ResolvedDirectory, ResolvedGguf, ResolvedModel } from "./resolved.ts";
import { partsOf, withoutPart } from "./gguf/parts.ts";
import { findWeights, WEIGHT_FILES } from "./find.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { similarName } from "../similar_name.ts";

/** Options of {@linkcode resolveModel}; those of the hub apply if it is used. */
export interface ResolveOptions extends Omit<SnapshotOptions, "revision" | "weights"> {
  /**
   * Whether the weights are needed. With `false` only configuration and tokenizer are downloaded,
   * and the weights of a hub model may be missing. A GGUF file, which contains everything, must
   * have been downloaded earlier.
   */
  weights?: boolean;
  /** Where Ollama keeps its models; by default `OLLAMA_MODELS`, or its usual places. */
  ollamaStores?: string[];
}

const { revision: _, ...SNAPSHOT_NAMES } = SNAPSHOT_OPTIONS;
/** The names of {@linkcode ResolveOptions}. */
export const RESOLVE_OPTIONS: OptionNames<ResolveOptions> = {
  ...SNAPSHOT_NAMES,
  ollamaStores: true,
};

const SYNTAX = `expected a directory, a GGUF file, "hf:owner/name", "ollama:name", ${
  [...Object.keys(SHORT_NAMES), EMBEDDED_NAME].map((name) => `"${name}"`).join(", ")
}`;

/**
 * Finds a model's files, and downloads them from the hub if the name says so.
 *
 * @param spec A directory, a GGUF file, `hf:owner/name[/file.gguf][@revision]`,
 * `ollama:name[:tag]`, or a short name
 * @param options Progress, signal, and how the hub is reached
 * @returns Where the files are
 * @throws {Deno.errors.NotFound} If there is no such model; the message says what was searched and
 * where
 * @throws {RangeError} If the name is malformed
 * @throws {HubError} If the hub cannot be reached or refuses
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { resolveModel } from "tunebook";
 *
 * const { kind, source } = await resolveModel("nano"); // the embedded model
 * assertEquals([kind, source], ["directory", "embedded"]);
 * ```
 */
export async function resolveModel(
  spec: string,
  options: ResolveOptions = {},
): Promise<ResolvedModel> {
  assertKnownOptions("find a model", options, RESOLVE_OPTIONS);
  if (typeof spec !== "string") {
    throw new TypeError(
      `Cannot find a model with the name ${JSON.stringify(spec)}: expected a string`,
    );
  }
  if (spec.trim() === "") throw new RangeError(`Cannot find a model with an empty name: ${SYNTAX}`);
  if (spec === EMBEDDED_NAME) {
    const directory = await embeddedDirectory(undefined, options.signal);
    return { ...await fromDirectory(spec, directory), source: "embedded", name: spec };
  }
  if (Object.hasOwn(SHORT_NAMES, spec)) {
    return await fromHub(spec, SHORT_NAMES[spec], options);
  }
  if (spec.startsWith("hf:")) return await fromHub(spec, spec, options);
  if (spec.startsWith("ollama:")) return await resolveOllama(spec, options.ollamaStores);
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(spec) ?? [];
  if (scheme !== undefined) {
    throw new RangeError(
      `Cannot find model ${JSON.stringify(spec)}: "${scheme}:" is not known, ${SYNTAX}`,
    );
  }
  const path = resolve(spec);
  const info = await Deno.stat(path).catch(() => undefined);
  if (info !== undefined && !info.isDirectory) {
    return fromFile(spec, path, info.isFile && await isGguf(path));
  }
  return await fromDirectory(spec, path);
}

/** Whether a file is GGUF, judged by its content: Ollama's files have no extension. */
async function isGguf(path: string): Promise<boolean> {
  if (path.toLowerCase().endsWith(".gguf")) return true;
  using file = await Deno.open(path);
  const magic = new Uint8Array(4);
  return await file.read(magic) === 4 && String.fromCharCode(...magic) === "GGUF";
}

function fromFile(spec: string, path: string, gguf: boolean): ResolvedGguf {
  const cannot = `Cannot find model ${JSON.stringify(spec)}`;
  if (!gguf) {
    throw new Deno.errors.NotFound(
      `${cannot}: "${path}" is neither a GGUF file nor a directory that holds "config.json" and the weights`,
    );
  }
  const [weights] = partsOf(path);
  return { kind: "gguf", spec, source: "file", name: withoutPart(basename(path)), weights };
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
  const [owner, model, ...file] = repository.split("/");
  if (file.length > 0 && /\.gguf$/i.test(repository)) {
    const described = options.weights === false;
    const download = async (part: string, revision: string) =>
      await downloadFile(`${owner}/${model}`, part, {
        ...options,
        revision,
        ...(described && { offline: true }),
      }).catch((error) => {
        if (!described || !(error instanceof HubError)) throw error;
        throw new HubError(
          `Cannot describe model ${
            JSON.stringify(spec)
          } without downloading it: a GGUF file contains everything`,
          { cause: error },
        );
      });
    const [first, ...others] = partsOf(file.join("/"));
    const found = await download(first, revision);
    for (const part of others) await download(part, found.commit); // all of one commit
    return {
      ...fromFile(spec, found.path, true),
      source: "hub",
      commit: found.commit,
      notice: found.notice,
    };
  }
  const snapshot = await downloadSnapshot(repository, { ...options, revision }).catch((error) => {
    throw hintAtDirectory(spec, error);
  });
  return {
    ...await fromDirectory(spec, snapshot.directory, options.weights),
    source: "hub",
    name: model,
    commit: snapshot.commit,
    notice: snapshot.notice,
  };
}

/** If a directory has the name that was searched on the hub, the error says how to use it. */
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

async function fromDirectory(
  spec: string,
  directory: string,
  needsWeights = true,
): Promise<ResolvedDirectory> {
  const cannot = `Cannot find model ${JSON.stringify(spec)}`;
  const info = await Deno.stat(directory).catch(() => undefined);
  if (info === undefined) {
    throw new Deno.errors.NotFound(
      `${cannot}: there is no directory or file "${directory}"${suggestion(spec)}`,
    );
  }
  const weights = await findWeights(directory).catch(async (error) => {
    if (!needsWeights) return join(directory, WEIGHT_FILES[0]);
    throw await hintAtGguf(directory, error);
  });
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

/** If a directory holds GGUF files instead, the error says how to name one. */
async function hintAtGguf(directory: string, error: unknown): Promise<unknown> {
  const names = await Array.fromAsync(Deno.readDir(directory), (entry) => entry.name);
  const [first] = names.filter((name) => /\.gguf$/i.test(name)).sort();
  if (first !== undefined && error instanceof Error) {
    error.message += `; to use a GGUF file, name it: "${join(directory, first)}"`;
  }
  return error;
}

function suggestion(spec: string): string {
  if (/^\w[\w.-]*\/[\w.-]+(@[\w./-]+)?$/.test(spec)) return `, did you mean "hf:${spec}"`;
  const names = [...Object.keys(SHORT_NAMES), EMBEDDED_NAME];
  const near = /[/\\]/.test(spec) ? undefined : similarName(spec, names);
  return near === undefined ? "" : `, did you mean "${near}"`;
}
