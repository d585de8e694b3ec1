/**
 * Models from the Hugging Face hub, in the cache that Hugging Face's own tools use.
 *
 * The hub's own JavaScript client is not used because it does not resume, check or retry downloads,
 * which large models over unreliable connections need.
 *
 * @module
 */

import { join } from "@std/path/join";
import { hubCacheDirectory, isCommit, RepositoryCache } from "./hub/cache.ts";
import { download, type DownloadProgress, probe } from "./hub/download.ts";
import { checkNames, connect, HUB_OPTIONS, type HubOptions, isOffline } from "./hub/options.ts";
import { type Connection, HubError, shown } from "./hub/request.ts";
import { parseShardIndex } from "./safetensors/index_file.ts";
import { listed, WEIGHT_FILES } from "./find.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

export { type DownloadProgress, HubError, type HubOptions };

/** A model's files in the cache. */
export interface Snapshot {
  /** `owner/name`. */
  repository: string;
  /** The requested revision. */
  revision: string;
  /** The commit that it resolves to. */
  commit: string;
  /** The directory that holds the files. */
  directory: string;
  /** The names of the files, with the weights last. */
  files: string[];
  /** Why an earlier download is used, if the hub could not be reached. */
  notice?: string;
}

/** The file that describes a model. */
const REQUIRED = "config.json";
/** Files that a tokenizer, generation or a prompt may need, if the repository has them. `taught.json` is our own record. */
const OPTIONAL = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "tokenizer.model",
  "chat_template.jinja",
  "chat_template.json",
  "taught.json",
];
const CONCURRENT = 4;

/** Options of {@linkcode downloadSnapshot}. */
export interface SnapshotOptions extends HubOptions {
  /** Whether the weights are needed; `false` downloads only config and tokenizer. */
  weights?: boolean;
}

/** The names of {@linkcode SnapshotOptions}. */
export const SNAPSHOT_OPTIONS: OptionNames<SnapshotOptions> = { ...HUB_OPTIONS, weights: true };

/**
 * Downloads the files of a model: its config, tokenizer and weights: safetensors, or PyTorch's state dicts.
 *
 * Files that are in the cache are not fetched again. A revision's name is recorded only when all
 * its files have arrived, so an incomplete download never replaces a complete one.
 *
 * @param repository `owner/name`
 * @param options Revision, server, cache, credentials, patience, and whether weights are needed
 * @returns Where the files are
 * @throws {HubError} If the model does not exist, access is denied, or the hub cannot be reached
 * and the cache does not hold the model
 * @throws {RangeError} If the name, revision or endpoint is malformed
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { downloadSnapshot, HubError } from "tunebook/weights";
 *
 * const cacheDirectory = await Deno.makeTempDir();
 * const options = { cacheDirectory, offline: true }; // only what was downloaded before
 * await assertRejects(() => downloadSnapshot("owner/name", options), HubError, "may not be downloaded");
 * await Deno.remove(cacheDirectory, { recursive: true });
 * ```
 */
export async function downloadSnapshot(
  repository: string,
  options: SnapshotOptions = {},
): Promise<Snapshot> {
  assertKnownOptions("download a model", options, SNAPSHOT_OPTIONS);
  const revision = options.revision ?? "main";
  checkNames(repository, revision);
  const cache = new RepositoryCache(options.cacheDirectory ?? hubCacheDirectory(), repository);
  const cached = await cachedSnapshot(cache, repository, revision);
  if (isOffline(options)) {
    if (cached !== undefined) return cached;
    throw new HubError(
      `Cannot find "hf:${repository}@${revision}" in "${cache.directory}" and it may not be downloaded (HF_HUB_OFFLINE)`,
    );
  }
  const connection = await connect(options);
  let commit = cached !== undefined && isCommit(revision) ? revision : undefined;
  try {
    // With a complete model in the cache it is not worth waiting for a server that is down.
    const hasty = cached === undefined ? connection : { ...connection, retries: 0 };
    commit ??= await resolveCommit(hasty, repository, revision);
    const { weights = true, onProgress } = options;
    const asked = `"hf:${repository}@${revision}" at ${shown(connection.endpoint)}`;
    const wanted = { repository, commit, asked, weights, onProgress };
    const files = await fetchFiles(commit === cached?.commit ? hasty : connection, cache, wanted);
    if (weights) await cache.setCommit(revision, commit);
    return { repository, revision, commit, directory: cache.snapshot(commit), files };
  } catch (error) {
    const usable = cached !== undefined && (commit === undefined || commit === cached.commit);
    if (!usable || !(error instanceof HubError && error.transient)) throw error;
    return { ...cached, notice: `${error.message}; using the model downloaded earlier` };
  }
}

/**
 * Lists the models in the cache that can be used without the hub: those with config and weights, or
 * with a GGUF file.
 *
 * @param cacheDirectory The cache's directory; by default as in {@linkcode
 * HubOptions.cacheDirectory}
 * @returns Their names, in the form used after `hf:`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { listCachedModels } from "tunebook/weights";
 *
 * const cacheDirectory = await Deno.makeTempDir();
 * assertEquals(await listCachedModels(cacheDirectory), []);
 * await Deno.remove(cacheDirectory);
 * ```
 */
export async function listCachedModels(
  cacheDirectory: string = hubCacheDirectory(),
): Promise<string[]> {
  const folders = await Array.fromAsync(Deno.readDir(cacheDirectory), ({ name }) => name)
    .catch(() => []);
  const models: string[] = [];
  for (const folder of folders.sort()) {
    const [kind, owner, name, ...more] = folder.split("--");
    if (kind !== "models" || name === undefined || more.length > 0) continue;
    const repository = `${owner}/${name}`;
    const cache = new RepositoryCache(cacheDirectory, repository);
    // A damaged index must not hide the other models.
    const whole = await cachedSnapshot(cache, repository, "main").catch(() => undefined);
    if (whole !== undefined) models.push(repository);
    const snapshot = cache.snapshot(await cache.commitOf("main") ?? "none");
    const files = await Array.fromAsync(Deno.readDir(snapshot), ({ name }) => name).catch(() => []);
    const ggufs = files.filter((file) => /\.gguf$/i.test(file)).sort();
    models.push(...ggufs.map((file) => `${repository}/${file}`));
  }
  return models;
}

/** The commit that a branch or tag currently resolves to. */
async function resolveCommit(
  connection: Connection,
  repository: string,
  revision: string,
): Promise<string> {
  const config = await probe(connection, repository, revision, REQUIRED);
  if (config !== undefined) return config.commit;
  throw new HubError(
    `Cannot find "${REQUIRED}" in "hf:${repository}@${revision}" at ${
      shown(connection.endpoint)
    }: there is no such repository, revision or file; for a GGUF file that it holds, write "hf:${repository}/FILE.gguf"`,
    { status: 404 },
  );
}

interface Wanted {
  repository: string;
  commit: string;
  /** Model and server, for messages. */
  asked: string;
  /** Whether weights are included. */
  weights: boolean;
  onProgress?: (progress: DownloadProgress) => void;
}

/** Downloads the needed files of a commit into the cache and returns their names. */
async function fetchFiles(
  connection: Connection,
  cache: RepositoryCache,
  { repository, commit, asked, weights, onProgress }: Wanted,
): Promise<string[]> {
  const missing = (what: string) => new HubError(`Cannot find ${what}`, { status: 404 });
  const get = async (file: string, connection: Connection): Promise<string | undefined> => {
    if (await cache.has(commit, file)) return file;
    if (await cache.lacks(commit, file)) return undefined;
    const remote = await probe(connection, repository, commit, file);
    if (remote === undefined) {
      await cache.setLacking(commit, file);
      return undefined;
    }
    // A server that answers with another commit must not mix two commits in one snapshot.
    await download(connection, cache, { ...remote, commit }, onProgress);
    return file;
  };

  // Small files come first, so that an unusable model is found before its weights are downloaded.
  const described = await inParallel([REQUIRED, ...OPTIONAL], connection, get);
  if (described[0] === undefined) throw missing(`"${REQUIRED}" in ${asked}`);
  const files = described.filter((file) => file !== undefined);
  if (!weights) return files;
  for (const name of WEIGHT_FILES) {
    if (await get(name, connection) === undefined) continue;
    const shards = await readShards(cache, commit, name);
    const found = await inParallel(shards, connection, get);
    const absent = shards.find((_, i) => found[i] === undefined);
    if (absent !== undefined) throw missing(`"${absent}" in ${asked}: the model's index names it`);
    return [...files, name, ...shards];
  }
  throw missing(
    `weights in ${asked}: looked for ${
      listed(WEIGHT_FILES)
    }; for a GGUF file that it holds, write "hf:${repository}/FILE.gguf"`,
  );
}

/** The snapshot in the cache, if it is complete. */
async function cachedSnapshot(
  cache: RepositoryCache,
  repository: string,
  revision: string,
): Promise<Snapshot | undefined> {
  const commit = await cache.commitOf(revision);
  if (commit === undefined || !await cache.has(commit, REQUIRED)) return undefined;
  const files = [REQUIRED];
  for (const file of OPTIONAL) if (await cache.has(commit, file)) files.push(file);
  for (const name of WEIGHT_FILES) {
    if (!await cache.has(commit, name)) continue;
    const shards = await readShards(cache, commit, name);
    for (const shard of shards) if (!await cache.has(commit, shard)) return undefined;
    files.push(name, ...shards);
    return { repository, revision, commit, directory: cache.snapshot(commit), files };
  }
}

/** The files that an index names; none for weights in one file. */
async function readShards(
  cache: RepositoryCache,
  commit: string,
  name: string,
): Promise<string[]> {
  if (!name.endsWith(".json")) return [];
  const path = join(cache.snapshot(commit), name);
  return parseShardIndex(await Deno.readFile(path), path).shards;
}

/** Processes a few items at a time; if one fails, the others are stopped and awaited. */
async function inParallel<T>(
  items: string[],
  connection: Connection,
  work: (item: string, connection: Connection) => Promise<T>,
): Promise<T[]> {
  const stop = new AbortController();
  const signal = connection.signal
    ? AbortSignal.any([connection.signal, stop.signal])
    : stop.signal;
  const results: T[] = [];
  const queue = items.entries();
  let failure: { error: unknown } | undefined;
  const worker = async () => {
    try {
      for (const [i, item] of queue) {
        signal.throwIfAborted();
        results[i] = await work(item, { ...connection, signal });
      }
    } catch (error) {
      failure ??= { error };
      stop.abort();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
  if (failure !== undefined) throw failure.error;
  return results;
}
