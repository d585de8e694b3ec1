/**
 * The files of a hub repository, by their names.
 *
 * @module
 */

import { checkNames, connect, type HubOptions, isOffline } from "./options.ts";
import { HubError, request, shown, statusError, withRetries } from "./request.ts";

/** The files of a repository at a commit. */
export interface FileList {
  /** The commit. */
  commit: string;
  /** The paths of the files in the repository. */
  files: string[];
}

/** The most bytes of a list that is read. */
const MOST_BYTES = 64 * 2 ** 20;

/**
 * Lists the files of a repository.
 *
 * @param repository `owner/name` of a model, `datasets/owner/name` of a data set
 * @param options Revision, server, credentials, patience
 * @returns The commit of the revision, and the files
 * @throws {HubError} If there is no such repository or revision, access is denied, or the hub cannot be reached
 * @throws {RangeError} If a name, the revision or the endpoint is malformed
 */
export async function listFiles(repository: string, options: HubOptions = {}): Promise<FileList> {
  const revision = options.revision ?? "main";
  checkNames(repository, revision);
  const asked = `the files of "hf:${repository}@${revision}"`;
  if (isOffline(options)) {
    throw new HubError(
      `Cannot list ${asked}: it may not be asked for (HF_HUB_OFFLINE); name one of its files`,
    );
  }
  const connection = await connect(options);
  const kind = repository.startsWith("datasets/") ? repository : `models/${repository}`;
  const url = `${connection.endpoint}/api/${kind}/revision/${encodeURIComponent(revision)}`;
  return await withRetries(connection, async () => {
    const answer = await request(connection, url, "GET");
    if (answer.response.status !== 200) {
      await answer.cancel();
      throw statusError(answer.response, connection, asked, repository);
    }
    const decoder = new TextDecoder();
    let text = "";
    for await (const piece of answer.pieces()) {
      text += decoder.decode(piece, { stream: true });
      if (text.length > MOST_BYTES) {
        throw new HubError(`Cannot list ${asked}: the list has more than 64 MiB`);
      }
    }
    return readList(text + decoder.decode(), `${asked} at ${shown(connection.endpoint)}`);
  });
}

function readList(text: string, asked: string): FileList {
  let list: { sha?: unknown; siblings?: unknown };
  try {
    list = JSON.parse(text) ?? {};
  } catch (cause) {
    throw new HubError(`Cannot list ${asked}: the answer is not JSON`, { cause });
  }
  const { sha, siblings } = list;
  const files = Array.isArray(siblings) ? siblings.map((one) => one?.rfilename) : undefined;
  if (typeof sha !== "string" || !files?.every((file) => typeof file === "string")) {
    throw new HubError(`Cannot list ${asked}: the answer has no "sha" and "siblings"`);
  }
  return { commit: sha, files };
}
