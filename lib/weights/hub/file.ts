/**
 * One file of a hub repository, such as a GGUF, in the cache that Hugging Face's own tools use.
 *
 * @module
 */

import { join } from "@std/path/join";
import { hubCacheDirectory, isCommit, RepositoryCache } from "./cache.ts";
import { download, probe } from "./download.ts";
import { checkNames, connect, type HubOptions, isOffline } from "./options.ts";
import { HubError, shown } from "./request.ts";

/** A file in the cache. */
export interface HubFile {
  /** `owner/name`. */
  repository: string;
  /** The requested revision. */
  revision: string;
  /** The commit that it resolves to. */
  commit: string;
  /** Its path on this machine. */
  path: string;
  /** Why an earlier download is used, if the hub could not be reached. */
  notice?: string;
}

/**
 * Downloads one file of a repository, unless the cache has it.
 *
 * @param repository `owner/name` of a model, `datasets/owner/name` of a data set
 * @param file Its path in the repository
 * @param options Revision, server, cache, credentials, patience
 * @returns Where it is
 * @throws {HubError} If the file does not exist, access is denied, or the hub cannot be reached and
 * the cache does not hold the file
 * @throws {RangeError} If a name, the revision or the endpoint is malformed
 */
export async function downloadFile(
  repository: string,
  file: string,
  options: HubOptions = {},
): Promise<HubFile> {
  const revision = options.revision ?? "main";
  checkNames(repository, revision);
  checkFile(repository, file);
  const cache = new RepositoryCache(options.cacheDirectory ?? hubCacheDirectory(), repository);
  const found = (commit: string): HubFile => ({
    repository,
    revision,
    commit,
    path: join(cache.snapshot(commit), file),
  });
  const known = await cache.commitOf(revision);
  const cached = known !== undefined && await cache.has(known, file) ? known : undefined;
  const asked = `"${file}" of "hf:${repository}@${revision}"`;
  if (cached !== undefined && (isCommit(revision) || isOffline(options))) return found(cached);
  if (isOffline(options)) {
    throw new HubError(
      `Cannot find ${asked} in "${cache.directory}" and it may not be downloaded (HF_HUB_OFFLINE)`,
    );
  }
  const connection = await connect(options);
  try {
    // With the file in the cache it is not worth waiting for a server that is down.
    const hasty = cached === undefined ? connection : { ...connection, retries: 0 };
    const remote = await probe(hasty, repository, revision, file);
    if (remote === undefined) {
      throw new HubError(
        `Cannot find ${asked} at ${
          shown(connection.endpoint)
        }: there is no such repository, revision or file`,
        { status: 404 },
      );
    }
    if (!await cache.has(remote.commit, file)) {
      await download(connection, cache, remote, options.onProgress);
    }
    await cache.setCommit(revision, remote.commit);
    return found(remote.commit);
  } catch (error) {
    if (cached === undefined || !(error instanceof HubError && error.transient)) throw error;
    return { ...found(cached), notice: `${error.message}; using the file downloaded earlier` };
  }
}

/** The name becomes a path in the cache, so only plain names are accepted. */
function checkFile(repository: string, file: string): void {
  const plain = file.length <= 300 &&
    file.split("/").every((part) => /^[A-Za-z0-9_+][A-Za-z0-9_+. -]*$/.test(part));
  if (!plain || file.includes("..")) {
    throw new RangeError(
      `Cannot use ${
        JSON.stringify(file)
      } as a file of "hf:${repository}": expected a path such as "model.gguf" or "data/train.jsonl"`,
    );
  }
}
