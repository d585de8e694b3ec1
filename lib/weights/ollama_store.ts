/**
 * The models of a local Ollama, read from its files; nothing is ever written there.
 *
 * ```text
 * manifests/<host>/<namespace>/<model>/<tag>   JSON: the layers with their digests
 * blobs/sha256-<digest>                        a layer: GGUF weights, template, parameters, …
 * ```
 *
 * Names and layout as in Ollama's `types/model/name.go` and `server/manifest.go`.
 *
 * @module
 */

import { join } from "@std/path/join";
import { similarName } from "../similar_name.ts";
import type { Layer } from "./ollama_manifest.ts";
import type { OllamaLayers, ResolvedGguf } from "./resolved.ts";

/** A model of the local store. */
export interface OllamaModel {
  /** Its name in the form used after `ollama:`, without the tag if that is `latest`. */
  name: string;
  /** The directory of the store that holds it. */
  store: string;
}

const HOST = "registry.ollama.ai";
const NAMESPACE = "library";
const TAG = "latest";
const LAYER = "application/vnd.ollama.image.";
/** Templates and parameters are small; a store with larger ones is damaged. */
const LARGEST_TEXT = 1 << 24;

/**
 * Where Ollama keeps its models: `OLLAMA_MODELS`, or the user's home and the folder of its Linux
 * service.
 *
 * @returns Directories in search order; they need not exist
 */
export function ollamaStores(): string[] {
  const named = Deno.env.get("OLLAMA_MODELS");
  if (named) return [named];
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE") || ".";
  return [join(home, ".ollama", "models"), "/usr/share/ollama/.ollama/models"];
}

/**
 * Lists the local store's models.
 *
 * @param stores Directories, as from {@linkcode ollamaStores}
 * @returns The models, by name
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { listOllamaModels } from "tunebook/weights";
 *
 * const store = await Deno.makeTempDir();
 * assertEquals(await listOllamaModels([store]), []);
 * await Deno.remove(store);
 * ```
 */
export async function listOllamaModels(stores: string[] = ollamaStores()): Promise<OllamaModel[]> {
  const models: OllamaModel[] = [];
  for (const store of stores) {
    const manifests = join(store, "manifests");
    for (const host of await names(manifests)) {
      for (const namespace of await names(join(manifests, host))) {
        for (const model of await names(join(manifests, host, namespace))) {
          for (const tag of await names(join(manifests, host, namespace, model))) {
            models.push({ name: shortName([host, namespace, model, tag]), store });
          }
        }
      }
    }
  }
  return models.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/**
 * Finds a model of the local store.
 *
 * @param spec `ollama:name[:tag]`, with a `namespace/` or `host/namespace/` prefix if it has one
 * @param stores Directories to search
 * @returns Its GGUF file, and the rest of its manifest
 * @throws {Deno.errors.NotFound} If there is no such model, or one of its files is missing
 * @throws {RangeError} If the name is malformed
 * @throws {SyntaxError} If its manifest is damaged
 * @throws {TypeError} If it does not hold exactly one GGUF
 */
export async function resolveOllama(
  spec: string,
  stores: string[] = ollamaStores(),
): Promise<ResolvedGguf> {
  const parts = parseName(spec);
  const { store, path } = await findManifest(spec, parts, stores);
  const cannot = `Cannot use model ${JSON.stringify(spec)}`;
  const { readManifest } = await import("./ollama_manifest.ts");
  const layers = await readManifest(path, cannot);
  const of = (kind: string) => layers.filter(({ mediaType }) => mediaType === LAYER + kind);
  const [weights, ...more] = of("model");
  if (weights === undefined || more.length > 0) {
    throw new TypeError(
      `${cannot}: its manifest "${path}" has ${
        weights === undefined ? "no" : more.length + 1
      } GGUF layers, expected one`,
    );
  }
  const file = await checkBlob(store, weights, cannot);
  const text = async (kind: string) => {
    const [layer] = of(kind);
    if (layer === undefined) return undefined;
    const blob = await checkBlob(store, layer, cannot);
    if (layer.size > LARGEST_TEXT) {
      throw new RangeError(`${cannot}: its ${kind} "${blob}" has ${layer.size} bytes`);
    }
    return await Deno.readTextFile(blob);
  };
  const [, , model, tag] = parts;
  return {
    kind: "gguf",
    spec,
    source: "ollama",
    name: tag === TAG ? model : `${model}-${tag}`,
    weights: file,
    ollama: {
      template: await text("template"),
      system: await text("system"),
      parameters: parseParameters(await text("params"), cannot),
      adapters: await Promise.all(of("adapter").map((layer) => checkBlob(store, layer, cannot))),
    },
  };
}

function parseName(spec: string): [host: string, namespace: string, model: string, tag: string] {
  const name = spec.slice("ollama:".length);
  const colon = name.lastIndexOf(":");
  const tagged = colon > name.lastIndexOf("/");
  const path = (tagged ? name.slice(0, colon) : name).split("/");
  const tag = tagged ? name.slice(colon + 1) : TAG;
  const [model, namespace = NAMESPACE, host = HOST] = path.toReversed();
  // They become parts of a path.
  const plain = (part: string, allowed: RegExp) => allowed.test(part) && !part.includes("..");
  if (
    path.length > 3 || ![model, namespace, tag].every((part) => plain(part, /^\w[\w.-]{0,79}$/)) ||
    !plain(host, /^\w[\w.:-]{0,349}$/)
  ) {
    throw new RangeError(
      `Cannot find model ${JSON.stringify(spec)}: expected "ollama:name", "ollama:name:tag" or ` +
        '"ollama:namespace/name:tag"',
    );
  }
  return [host, namespace, model, tag];
}

function shortName([host, namespace, model, tag]: string[]): string {
  const path = host !== HOST
    ? `${host}/${namespace}/${model}`
    : namespace !== NAMESPACE
    ? `${namespace}/${model}`
    : model;
  return tag === TAG ? path : `${path}:${tag}`;
}

async function findManifest(
  spec: string,
  parts: string[],
  stores: string[],
): Promise<{ store: string; path: string }> {
  const looked: string[] = [];
  for (const store of stores) {
    const path = join(store, "manifests", ...parts);
    try {
      if ((await Deno.stat(path)).isFile) return { store, path };
      looked.push(`"${path}"`);
    } catch (error) {
      looked.push(
        error instanceof Deno.errors.PermissionDenied
          ? `"${path}" (which may not be read)`
          : `"${path}"`,
      );
    }
  }
  const there = (await listOllamaModels(stores)).map(({ name }) => name);
  const near = similarName(shortName(parts), there);
  const hint = near === undefined
    ? `${describeThere(there)}; to get it: ollama pull ${shortName(parts)}`
    : `; did you mean "ollama:${near}"?`;
  throw new Deno.errors.NotFound(
    `Cannot find model ${JSON.stringify(spec)}: looked for ${looked.join(" and ")}${hint}`,
  );
}

/** Models that a message lists. */
const MOST_LISTED = 5;

/** Which models there are instead. */
function describeThere(names: readonly string[]): string {
  if (names.length === 0) return "";
  const listed = names.slice(0, MOST_LISTED).map((name) => `"ollama:${name}"`).join(", ");
  const others = names.length - MOST_LISTED;
  return `; there ${names.length === 1 ? "is" : "are"} ${listed}${
    others > 0 ? ` and ${others} others` : ""
  }`;
}

/** The path of a layer, if the file has the length given in the manifest. */
async function checkBlob(store: string, { digest, size }: Layer, cannot: string): Promise<string> {
  const path = join(store, "blobs", digest.replace(":", "-"));
  const info = await Deno.stat(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (!info?.isFile) {
    throw new Deno.errors.NotFound(
      `${cannot}: its manifest names "${path}" and there is no such file`,
    );
  }
  if (info.size !== size) {
    throw new SyntaxError(
      `${cannot}: "${path}" has ${info.size} bytes and its manifest says ${size}`,
    );
  }
  return path;
}

function parseParameters(text: string | undefined, cannot: string): OllamaLayers["parameters"] {
  if (text === undefined) return {};
  let parameters: unknown;
  try {
    parameters = JSON.parse(text);
  } catch {
    // reported below
  }
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) {
    throw new SyntaxError(
      `${cannot}: its parameters are ${JSON.stringify(text.slice(0, 80))}, expected a JSON object`,
    );
  }
  return parameters as OllamaLayers["parameters"];
}

async function names(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory), ({ name }) => name))
      .filter((name) => !name.startsWith("."));
  } catch {
    return []; // no such store, or a file where a directory is expected
  }
}
