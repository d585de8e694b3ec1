/**
 * The Hugging Face hub's cache on disk, in the layout of Python's huggingface_hub, so that both
 * find each other's downloads:
 * https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 *
 * ```text
 * models--owner--name/            datasets--owner--name/ of a data set
 *   blobs/<etag>                      contents, named by their hash
 *   refs/<revision>                   the commit that a branch or tag resolved to
 *   snapshots/<commit>/<file>         relative symlinks into blobs
 *   .no_exist/<commit>/<file>         empty: the file is known not to exist
 * .locks/models--owner--name/<etag>.lock
 * ```
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { relative } from "@std/path/relative";
import { writeBeside, writeFileBeside } from "../../write_beside.ts";

/** A full commit hash. */
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Whether a revision is a full commit hash, which always means the same files.
 *
 * @param revision A branch, tag or commit
 * @returns Whether it is 40 hexadecimal digits
 */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/**
 * Where Hugging Face's tools keep their files: `HF_HOME`, or `huggingface` in the user's cache.
 *
 * @returns The directory, which may not exist
 */
export function hubHome(): string {
  const env = (name: string) => Deno.env.get(name) || undefined;
  const user = env("HOME") ?? env("USERPROFILE") ?? ".";
  const home = env("HF_HOME") ?? join(env("XDG_CACHE_HOME") ?? join(user, ".cache"), "huggingface");
  return expandHome(home, user);
}

/**
 * Where models are cached: `HF_HUB_CACHE`, or `hub` in {@linkcode hubHome}.
 *
 * @returns The directory, which may not exist
 */
export function hubCacheDirectory(): string {
  const named = Deno.env.get("HF_HUB_CACHE") || Deno.env.get("HUGGINGFACE_HUB_CACHE");
  return named
    ? expandHome(named, Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".")
    : join(hubHome(), "hub");
}

function expandHome(path: string, user: string): string {
  return path === "~" || path.startsWith("~/") ? join(user, path.slice(1)) : path;
}

/** One model repository in the cache. */
export class RepositoryCache {
  /** The repository's directory. */
  readonly directory: string;
  readonly #locks: string;

  /**
   * @param cacheDirectory The cache's directory, as from {@linkcode hubCacheDirectory}
   * @param repository `owner/name` of a model, `datasets/owner/name` of a data set
   */
  constructor(cacheDirectory: string, repository: string) {
    const kind = repository.startsWith("datasets/") ? "" : "models--";
    const folder = kind + repository.replaceAll("/", "--");
    this.directory = join(cacheDirectory, folder);
    this.#locks = join(cacheDirectory, ".locks", folder);
  }

  /** The directory of a commit's files. */
  snapshot(commit: string): string {
    return join(this.directory, "snapshots", commit);
  }

  /** The path for the contents with an etag; it need not exist yet. */
  blob(etag: string): string {
    return join(this.directory, "blobs", etag);
  }

  /** The commit that a revision resolved to at the last download, if known. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision;
    const text = await Deno.readTextFile(join(this.directory, "refs", revision)).catch(() => "");
    return isCommit(text.trim()) ? text.trim() : undefined;
  }

  /** Records the commit that a branch or tag resolves to. */
  async setCommit(revision: string, commit: string): Promise<void> {
    if (isCommit(revision) || await this.commitOf(revision) === commit) return;
    const path = join(this.directory, "refs", revision);
    await Deno.mkdir(dirname(path), { recursive: true });
    await writeFileBeside(path, commit);
  }

  /** Whether a commit's file is in the cache, complete. */
  async has(commit: string, file: string): Promise<boolean> {
    // Blobs appear only when complete, so an intact link is enough.
    return await isFile(join(this.snapshot(commit), file));
  }

  /** Whether it is known that a commit lacks a file. */
  async lacks(commit: string, file: string): Promise<boolean> {
    return await isFile(join(this.directory, ".no_exist", commit, file));
  }

  /** Records that a commit lacks a file. */
  async setLacking(commit: string, file: string): Promise<void> {
    const path = join(this.directory, ".no_exist", commit, file);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(path, new Uint8Array(0));
  }

  /**
   * Adds a commit's file to its snapshot, as a relative link to its blob.
   *
   * If links are not allowed (Windows without developer mode), the blob is copied.
   */
  async link(commit: string, file: string, etag: string): Promise<void> {
    const pointer = join(this.snapshot(commit), file);
    await Deno.mkdir(dirname(pointer), { recursive: true });
    try {
      await Deno.symlink(relative(dirname(pointer), this.blob(etag)), pointer, { type: "file" });
    } catch (error) {
      if (await isFile(pointer)) return; // another process created it meanwhile
      if (error instanceof Deno.errors.AlreadyExists) {
        await Deno.remove(pointer); // a dangling link
        return await this.link(commit, file, etag);
      }
      await writeBeside(pointer, async (copy) => {
        using blob = await Deno.open(this.blob(etag));
        await blob.readable.pipeTo(copy.writable, { preventClose: true });
      });
    }
  }

  /**
   * Waits for the lock that huggingface_hub also holds while it downloads a blob.
   *
   * @param etag The blob
   * @param signal Stops the waiting
   * @returns The lock; disposing of it releases it
   */
  async lock(etag: string, signal?: AbortSignal): Promise<Disposable> {
    await Deno.mkdir(this.#locks, { recursive: true });
    const file = await Deno.open(join(this.#locks, `${etag}.lock`), { create: true, write: true });
    try {
      while (!await file.tryLock(true)) await delay(100, { signal });
    } catch {
      // Some network file systems have no locks. The lock only avoids duplicate work: downloads are
      // checked before they become blobs.
      if (signal?.aborted) {
        file.close();
        throw signal.reason;
      }
    }
    return { [Symbol.dispose]: () => file.close() }; // closing releases the lock
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => undefined))?.isFile === true;
}
