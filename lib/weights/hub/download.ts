/**
 * Downloads one file from the hub into the cache: resumes after interruptions and checks the
 * contents before use.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { updateFromFile } from "../sha256.ts";
import { isCommit, type RepositoryCache } from "./cache.ts";
import {
  backOff,
  type Connection,
  HubError,
  request,
  shown,
  statusError,
  withRetries,
} from "./request.ts";

/** A file of a repository, as the hub describes it. */
export interface RemoteFile {
  /** `owner/name`. */
  repository: string;
  /** Its path in the repository. */
  file: string;
  /** The commit it belongs to. */
  commit: string;
  /** Name of its contents: a SHA-256 for large files, git's SHA-1 for small ones. */
  etag: string;
  /** Its length in bytes, if the server sends it. */
  size?: number;
}

/** The progress of a download. */
export interface DownloadProgress {
  /** The file's path in the repository. */
  file: string;
  /** Bytes on disk so far, including those of earlier attempts. */
  received: number;
  /** Total bytes, if the server sends the length. */
  total?: number;
}

/** The most bytes of files that say what a model is, and of those that list its tokens or tensors. */
const MOST_SMALL = 8 * 2 ** 20, MOST_LISTS = 128 * 2 ** 20;

/** The most bytes that a file can sensibly have; data sets may have any size. */
function mostBytes({ repository, file }: Pick<RemoteFile, "repository" | "file">): number {
  if (repository.startsWith("datasets/")) return Infinity;
  const name = basename(file);
  if (/\.(safetensors|gguf|bin)$/i.test(name)) return Infinity;
  const list = /^(tokenizer\.(json|model)|vocab\.json|merges\.txt)$|\.index\.json$/;
  return list.test(name) ? MOST_LISTS : MOST_SMALL;
}

function tooLarge(remote: RemoteFile): HubError {
  return new HubError(
    `Cannot download ${described(remote.repository, remote.file)}: it has more than the ${
      mostBytes(remote)
    } bytes that such a file may have`,
  );
}

// After an attempt with this much progress, the count of failures starts again.
const PROGRESS = 1 << 20;
/** How many times contents may be wrong before the download fails. */
const WRONG_CONTENTS = 2;

function fileUrl(connection: Connection, repository: string, revision: string, file: string) {
  const path = file.split("/").map(encodeURIComponent).join("/");
  return `${connection.endpoint}/${repository}/resolve/${encodeURIComponent(revision)}/${path}`;
}

function described(repository: string, file: string): string {
  return `"${file}" of "hf:${repository}"`;
}

/**
 * Asks the hub about a file.
 *
 * @param connection The server
 * @param repository `owner/name`
 * @param revision Branch, tag or commit
 * @param file Path in the repository
 * @returns The hub's description of it, or undefined if the revision has no such file
 * @throws {HubError} If there is no such repository or revision, access is denied, the server
 * cannot be reached, or its answer lacks what the cache needs
 */
export async function probe(
  connection: Connection,
  repository: string,
  revision: string,
  file: string,
): Promise<RemoteFile | undefined> {
  return await withRetries(connection, async () => {
    const url = fileUrl(connection, repository, revision, file);
    // Commit, etag and size are in the responses along the redirects; the first value counts.
    let commit: string | undefined;
    let linkedEtag: string | undefined;
    let linkedSize: number | undefined;
    const { response } = await request(connection, url, "HEAD", {}, ({ headers }) => {
      commit ??= headers.get("x-repo-commit") ?? undefined;
      linkedEtag ??= headers.get("x-linked-etag") ?? undefined;
      linkedSize ??= parseSize(headers.get("x-linked-size"));
      // The next response comes from the store of large files, which adds nothing.
      return commit !== undefined && linkedEtag !== undefined;
    });
    const { headers, status } = response;
    if (status === 404) {
      const code = headers.get("x-error-code");
      if (code === null || code === "EntryNotFound") return undefined;
    }
    if (status >= 400) {
      throw statusError(response, connection, described(repository, file), repository);
    }
    commit ??= headers.get("x-repo-commit") ?? undefined;
    const etag = normalEtag(linkedEtag ?? headers.get("x-linked-etag") ?? headers.get("etag"));
    const size = linkedSize ?? parseSize(headers.get("x-linked-size")) ??
      // The length of a redirect or of a compressed response is not that of the file.
      (status === 200 && headers.get("content-encoding") === null
        ? parseSize(headers.get("content-length"))
        : undefined);
    // Both become file names, so only plain names are accepted.
    if (commit === undefined || !isCommit(commit)) {
      throw new HubError(
        `Cannot download ${described(repository, file)}: ${
          shown(connection.endpoint)
        } does not say its commit (X-Repo-Commit), as a hub must`,
      );
    }
    if (etag === undefined || !/^[0-9A-Za-z_-]{1,128}$/.test(etag)) {
      throw new HubError(
        `Cannot download ${described(repository, file)}: ${
          shown(connection.endpoint)
        } gives it no usable ETag, as a hub must`,
      );
    }
    return { repository, file, commit, etag, size };
  });
}

function parseSize(header: string | null): number | undefined {
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

function normalEtag(header: string | null): string | undefined {
  return header?.replace(/^W\//, "").replace(/^"|"$/g, "");
}

/**
 * Makes sure that the cache has a file's contents and its snapshot links to them.
 *
 * @param connection The server
 * @param cache The repository's cache
 * @param remote The file
 * @param onProgress Called as bytes arrive
 * @throws {HubError} If the server cannot be reached, disconnects too often without progress, or
 * sends other contents than it announced
 */
export async function download(
  connection: Connection,
  cache: RepositoryCache,
  remote: RemoteFile,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<void> {
  if (await cache.has(remote.commit, remote.file)) return;
  if ((remote.size ?? 0) > mostBytes(remote)) throw tooLarge(remote);
  const blob = cache.blob(remote.etag);
  await Deno.mkdir(dirname(blob), { recursive: true });
  {
    using _ = await cache.lock(remote.etag, connection.signal);
    // Another process may have finished the download while this one waited for the lock.
    if (await sizeOf(blob) === undefined) {
      const incomplete = `${blob}.incomplete`;
      // A link there would let what is downloaded overwrite another file.
      const there = await Deno.lstat(incomplete).catch(() => undefined);
      if (there !== undefined && !there.isFile) await Deno.remove(incomplete, { recursive: true });
      await fetchChecked(connection, remote, incomplete, onProgress);
      await Deno.rename(incomplete, blob);
    }
  }
  await cache.link(remote.commit, remote.file, remote.etag);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await Deno.stat(path).catch(() => undefined))?.size;
}

/** Downloads a file in as many attempts as necessary, and checks it. */
async function fetchChecked(
  connection: Connection,
  remote: RemoteFile,
  incomplete: string,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<void> {
  let failures = 0;
  let wrong = 0;
  for (;;) {
    const before = await sizeOf(incomplete) ?? 0;
    try {
      await fetchRest(connection, remote, incomplete, onProgress);
      const problem = await wrongContents(remote, incomplete, connection.signal);
      if (problem === undefined) return;
      // None of it can be trusted; a part from an earlier attempt may be the cause.
      await Deno.remove(incomplete);
      const message = `Cannot download ${described(remote.repository, remote.file)} from ${
        shown(connection.endpoint)
      }: ${problem}`;
      throw new HubError(message, { transient: ++wrong < WRONG_CONTENTS });
    } catch (error) {
      if (!(error instanceof HubError && error.transient)) throw error;
      if ((await sizeOf(incomplete) ?? 0) - before >= PROGRESS) failures = 0;
      if (++failures > connection.retries) throw error;
      await backOff(connection, failures, error);
    }
  }
}

/** One attempt to download the missing bytes. */
async function fetchRest(
  connection: Connection,
  remote: RemoteFile,
  incomplete: string,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<void> {
  const { repository, file, size: total } = remote;
  using target = await Deno.open(incomplete, { create: true, write: true });
  let received = (await target.stat()).size;
  const startOver = async () => {
    await target.truncate(0);
    received = 0;
  };
  if (total !== undefined && received > total) await startOver();
  onProgress?.({ file, received, total });
  if (received === total) return;

  const url = fileUrl(connection, repository, remote.commit, file);
  const range: Record<string, string> = received > 0 ? { range: `bytes=${received}-` } : {};
  const answer = await request(connection, url, "GET", range);
  const { response } = answer;
  try {
    if (response.status === 416) {
      // The server has fewer bytes than are on disk, so those on disk cannot be right.
      await startOver();
      throw new HubError(`Cannot resume ${shown(answer.url)} where it broke off`, {
        transient: true,
      });
    }
    if (!response.ok) {
      throw statusError(response, connection, described(repository, file), repository);
    }
    if (response.status === 206) {
      const [, start] = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "") ?? [];
      if (Number(start) !== received) {
        await startOver();
        throw new HubError(
          `Cannot resume ${shown(answer.url)}: it sends another range than it was asked for`,
          { transient: true },
        );
      }
    } else {
      await startOver(); // the server ignores the range and sends everything
    }
    await target.seek(received, Deno.SeekMode.Start);
    for await (const piece of answer.pieces()) {
      if (total !== undefined && received + piece.length > total) {
        await startOver();
        throw new HubError(
          `Cannot download ${
            described(repository, file)
          }: the server sends more than the ${total} bytes that it promised`,
          { transient: true },
        );
      }
      if (received + piece.length > mostBytes(remote)) {
        await startOver();
        throw tooLarge(remote);
      }
      for (let done = 0; done < piece.length;) done += await target.write(piece.subarray(done));
      received += piece.length;
      onProgress?.({ file, received, total });
    }
  } finally {
    await answer.cancel();
  }
  if (total !== undefined && received < total) {
    throw new HubError(
      `Cannot download ${
        described(repository, file)
      }: the server ends after ${received} of ${total} bytes`,
      { transient: true },
    );
  }
  await target.syncData();
}

/** What is wrong with a downloaded file; undefined if nothing is. */
async function wrongContents(
  { etag, size }: RemoteFile,
  path: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const actual = await sizeOf(path) ?? 0;
  if (size !== undefined && actual !== size) {
    return `it has ${actual} bytes and the server promised ${size}`;
  }
  if (/^[0-9a-f]{64}$/.test(etag)) {
    const hash = createHash("sha256");
    await updateFromFile(path, [hash], { signal });
    const digest = hash.digest("hex");
    if (digest !== etag) return `its SHA-256 is ${digest} and the server promised ${etag}`;
  } else if (/^[0-9a-f]{40}$/.test(etag)) {
    // Git hashes a file after a short header; some mirrors send the plain SHA-1.
    const git = createHash("sha1").update(`blob ${actual}\0`);
    const plain = createHash("sha1");
    await updateFromFile(path, [git, plain], { signal });
    const digest = git.digest("hex");
    if (digest !== etag && plain.digest("hex") !== etag) {
      return `its git SHA-1 is ${digest} and the server promised ${etag}`;
    }
  }
  return undefined;
}
