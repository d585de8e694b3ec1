/**
 * A data set's bytes, from a file or a server.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { downloadFile } from "../../weights/hub/file.ts";
import { listFiles } from "../../weights/hub/list.ts";

/** A file that is being read. */
export interface OpenFile {
  /** Its name in errors and in the record of a run. */
  readonly name: string;
  /** Its bytes. */
  readonly bytes: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Its path, if it is on this machine. */
  readonly path?: string | URL;
  /** Why an earlier download is used, if the hub could not be reached. */
  readonly notice?: string;
  /** The SHA-256 of the bytes read so far, once. */
  sha256(): string;
}

/** The name of the data that comes with the library, as `nano` is the model's. */
const EMBEDDED_NAME = "instructions";

/**
 * Opens a file, or begins to download one.
 *
 * @param source A path, an `http:`, `https:` or `file:` URL, `hf:owner/name/FILE` of a data set on the hub, or
 * `"instructions"`.
 * @param options Stops a download.
 * @returns The open file.
 * @throws {Error} If it cannot be read or downloaded; the message says which and why.
 */
export async function openFile(
  source: string | URL,
  { signal }: { signal?: AbortSignal } = {},
): Promise<OpenFile> {
  if (source === EMBEDDED_NAME) {
    const home = new URL("../../../data/instructions/instruction-data.json", import.meta.url);
    return { ...await openFile(home, { signal }), name: EMBEDDED_NAME };
  }
  if (typeof source === "string" && source.startsWith("hf:")) {
    return await openHubFile(source, signal);
  }
  const url = source instanceof URL || /^(https?|file):\/\//i.test(source) ? new URL(source) : null;
  if (url === null || url.protocol === "file:") {
    const path = url ?? source;
    const name = url?.href ?? String(source);
    return { path, ...hashed(name, await openBytes(path)) };
  }
  return { ...hashed(withoutCredentials(url), await download(url, signal)) };
}

/** `hf:owner/name`, `hf:owner/name:split`, with `@revision` behind the name. */
const WHOLE = /^hf:(?:\/\/)?(?:datasets\/)?([^/@:]+\/[^/@:]+)(?:@([^/:]+))?(?::([^/@:]+))?$/;

/** Several files that are read as one. */
export interface OpenFiles {
  /** Their name in errors and in the record of a run. */
  readonly name: string;
  /** The files, each opened when it is asked for. */
  readonly files: AsyncIterable<OpenFile>;
}

/**
 * Opens a file as {@linkcode openFile} does, or all files of a split of a data set on the hub.
 *
 * @param source As for {@linkcode openFile}, or `hf:owner/name[@revision][:split]`.
 * @param options Stops a download.
 * @returns The files.
 * @throws {RangeError} If the split is not there, not named though there are several, or has files of several kinds.
 * @throws {Error} If a file cannot be read or downloaded; the message says which and why.
 */
export async function openFiles(
  source: string | URL,
  options: { signal?: AbortSignal } = {},
): Promise<OpenFiles> {
  const [, name, asked, split] = WHOLE.exec(String(source)) ?? [];
  if (name === undefined) {
    const file = await openFile(source, options);
    return { name: file.name, files: ReadableStream.from([file]) };
  }
  const repository = `datasets/${name}`;
  const { commit, files: all } = await listFiles(repository, {
    ...(asked !== undefined && { revision: asked }),
    ...options,
  });
  const [chosen, files] = await filesOfSplit(
    String(source),
    `${repository}@${commit}`,
    all,
    split,
    options,
  );
  async function* opened() {
    for (const file of files) yield await openFile(`hf:${repository}@${commit}/${file}`, options);
  }
  return { name: `hf:${repository}@${commit}:${chosen}`, files: opened() };
}

async function filesOfSplit(
  source: string,
  repository: string,
  all: readonly string[],
  split: string | undefined,
  options: { signal?: AbortSignal },
): Promise<[split: string, files: string[]]> {
  const cannot = `Cannot read "${source}"`;
  const readme = all.includes("README.md")
    ? await new Response((await openFile(`hf:${repository}/README.md`, options)).bytes).text()
    : undefined;
  const { splitsOf } = await import("./splits.ts");
  let splits: Record<string, string[]>;
  try {
    splits = splitsOf(all, readme);
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`${cannot}: ${error.message}`);
    throw error;
  }
  const names = Object.keys(splits);
  if (names.length === 0) {
    throw new RangeError(
      `${cannot}: expected files in JSON, JSON Lines, CSV or Parquet, found ${all.length} others`,
    );
  }
  const list = names.map((one) => `"${one}"`).join(", ");
  const chosen = split ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined) {
    const example = `${source.replace(/:$/, "")}:${names[0]}`;
    throw new RangeError(
      `${cannot}: it has the splits ${list}; name one, as in "${example}"`,
    );
  }
  const files = Object.hasOwn(splits, chosen) ? splits[chosen] : [];
  if (files.length === 0) {
    throw new RangeError(`${cannot}: it has no files of the split "${chosen}", but of ${list}`);
  }
  const kinds = new Set(files.map((file) => /\.(\w+)(\.gz)?$/.exec(file)?.[1]));
  if (kinds.size === 1) return [chosen, files];
  throw new RangeError(
    `${cannot}: the split "${chosen}" has files of several kinds, which may hold the same rows (${
      [...kinds].join(", ")
    }); name one of its files`,
  );
}

/** Opens a file of a data set on the hub, downloading it unless the cache has it. */
async function openHubFile(source: string, signal: AbortSignal | undefined): Promise<OpenFile> {
  const pattern = /^hf:(?:\/\/)?(?:datasets\/)?([^/@]+\/[^/@]+)(?:@([^/]+))?\/([^@]+)(?:@(.+))?$/;
  const [, name, before, file, after] = pattern.exec(source) ?? [];
  if (name === undefined || (before !== undefined && after !== undefined)) {
    throw new RangeError(
      `Cannot read "${source}": expected a data set's file, such as "hf:owner/name/data/train.jsonl", also with ` +
        '"@revision"',
    );
  }
  const revision = before ?? after;
  const { path, commit, notice } = await downloadFile(`datasets/${name}`, file!, {
    ...(revision !== undefined && { revision }),
    ...(signal && { signal }),
  });
  const opened = hashed(`hf:datasets/${name}@${commit}/${file}`, await openBytes(path));
  return { path, ...(notice !== undefined && { notice }), ...opened };
}

async function openBytes(path: string | URL): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  try {
    if (path instanceof URL && path.protocol !== "file:") {
      throw new TypeError("expected a path or a URL");
    }
    const file = await Deno.open(path);
    if ((await file.stat()).isDirectory) {
      file.close();
      throw new Deno.errors.IsADirectory();
    }
    return file.readable;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * Says why a file cannot be read.
 *
 * @param path The file.
 * @param error What happened.
 * @returns The error to throw.
 */
export function unreadable(path: string | URL, error: unknown): Error {
  const reason = error instanceof Deno.errors.NotFound
    ? "there is no such file"
    : error instanceof Deno.errors.IsADirectory
    ? "it is a directory"
    : (error as Error).message;
  return new Error(`Cannot read "${path}": ${reason}`, { cause: error });
}

async function download(
  url: URL,
  signal: AbortSignal | undefined,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const name = withoutCredentials(url);
  const failed = (error: unknown) => {
    signal?.throwIfAborted();
    return new Error(`Cannot download "${name}": ${(error as Error).message}`, { cause: error });
  };
  let body: ReadableStream<Uint8Array<ArrayBuffer>>;
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`the server answered ${response.status} ${response.statusText}`.trim());
    }
    body = response.body ?? ReadableStream.from([]);
  } catch (error) {
    throw failed(error);
  }
  async function* pieces() {
    try {
      for await (const piece of body) yield piece;
    } catch (error) {
      throw failed(error);
    }
  }
  return ReadableStream.from(pieces());
}

/** Hashes bytes while they are read. */
function hashed(name: string, bytes: ReadableStream<Uint8Array<ArrayBuffer>>): OpenFile {
  const hash: Hash = createHash("sha256");
  const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(piece, controller) {
      hash.update(piece);
      controller.enqueue(piece);
    },
  });
  return { name, bytes: bytes.pipeThrough(counted), sha256: () => hash.digest("hex") };
}

/** The URL without credentials, for messages and provenance. */
function withoutCredentials(url: URL): string {
  const bare = new URL(url);
  bare.username = bare.password = "";
  return bare.href;
}
