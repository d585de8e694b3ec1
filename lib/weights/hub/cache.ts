/**
 * The Hugging Face hub's cache on disk, laid out as Python's huggingface_hub does, so that both
 * find what the other downloaded:
 * https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 *
 * ```text
 * models--owner--name/
 *   blobs/<etag>                      contents, named by their hash
 *   refs/<revision>                   the commit that a branch or tag stood for
 *   snapshots/<commit>/<file>         relative symlinks into blobs
 *   .no_exist/<commit>/<file>         empty: the file is known not to exist
 * .locks/models--owner--name/<etag>.lock
 * ```
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { dirname, join, relative } from "@std/path";
import { writeBeside, writeFileBeside } from "../../write_beside.ts";

/** A full commit hash. */
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Whether a revision is a full commit hash, which never changes what it stands for.
 *
 * @param revision A branch, tag or commit
 * @returns Whether it is 40 hexadecimal digits
 */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/**
 * Where Hugging Face's tools keep their files: `HF_HOME`, else `huggingface` in the user's cache.
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
 * Where models are cached: `HF_HUB_CACHE`, else `hub` in {@linkcode hubHome}.
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
   * @param repository `owner/name`
   */
  constructor(cacheDirectory: string, repository: string) {
    const folder = `models--${repository.replaceAll("/", "--")}`;
    this.directory = join(cacheDirectory, folder);
    this.#locks = join(cacheDirectory, ".locks", folder);
  }

  /** The directory of a commit's files. */
  snapshot(commit: string): string {
    return join(this.directory, "snapshots", commit);
  }

  /** Where the contents with an etag lie, or will lie. */
  blob(etag: string): string {
    return join(this.directory, "blobs", etag);
  }

  /** The commit that a revision stood for when it was last downloaded, if that is known. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision;
    const text = await Deno.readTextFile(join(this.directory, "refs", revision)).catch(() => "");
    return isCommit(text.trim()) ? text.trim() : undefined;
  }

  /** Remembers the commit that a branch or tag stands for. */
  async setCommit(revision: string, commit: string): Promise<void> {
    if (isCommit(revision) || await this.commitOf(revision) === commit) return;
    const path = join(this.directory, "refs", revision);
    await Deno.mkdir(dirname(path), { recursive: true });
    await writeFileBeside(path, commit);
  }

  /** Whether a commit's file is here, whole. */
  async has(commit: string, file: string): Promise<boolean> {
    // Blobs appear only when complete, so a link that leads somewhere is enough.
    return await isFile(join(this.snapshot(commit), file));
  }

  /** Whether it is known that a commit lacks a file. */
  async lacks(commit: string, file: string): Promise<boolean> {
    return await isFile(join(this.directory, ".no_exist", commit, file));
  }

  /** Remembers that a commit lacks a file. */
  async setLacking(commit: string, file: string): Promise<void> {
    const path = join(this.directory, ".no_exist", commit, file);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(path, new Uint8Array(0));
  }

  /**
   * Puts a commit's file into its snapshot, as a relative link to its blob.
   *
   * Where links are not allowed (Windows without its developer mode) the blob is copied.
   */
  async link(commit: string, file: string, etag: string): Promise<void> {
    const pointer = join(this.snapshot(commit), file);
    await Deno.mkdir(dirname(pointer), { recursive: true });
    try {
      await Deno.symlink(relative(dirname(pointer), this.blob(etag)), pointer, { type: "file" });
    } catch (error) {
      if (await isFile(pointer)) return; // somebody else made it meanwhile
      if (error instanceof Deno.errors.AlreadyExists) {
        await Deno.remove(pointer); // a link that leads nowhere
        return await this.link(commit, file, etag);
      }
      await writeBeside(pointer, async (copy) => {
        using blob = await Deno.open(this.blob(etag));
        await blob.readable.pipeTo(copy.writable, { preventClose: true });
      });
    }
  }

  /**
   * Waits for the lock that huggingface_hub also takes to download a blob.
   *
   * @param etag The blob
   * @param signal Stops the waiting
   * @returns The lock: disposing of it sets it free
   */
  async lock(etag: string, signal?: AbortSignal): Promise<Disposable> {
    await Deno.mkdir(this.#locks, { recursive: true });
    const file = await Deno.open(join(this.#locks, `${etag}.lock`), { create: true, write: true });
    try {
      while (!await file.tryLock(true)) await delay(100, { signal });
    } catch {
      // Some network file systems have no locks. The lock only saves work: what was downloaded is
      // checked before it becomes a blob.
      if (signal?.aborted) {
        file.close();
        throw signal.reason;
      }
    }
    return { [Symbol.dispose]: () => file.close() }; // closing unlocks
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => undefined))?.isFile === true;
}
