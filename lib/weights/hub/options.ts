/**
 * How the hub is reached: options first, then the environment variables of Hugging Face's tools.
 *
 * @module
 */

import { join } from "@std/path/join";
import { hubHome } from "./cache.ts";
import type { DownloadProgress } from "./download.ts";
import type { Connection } from "./request.ts";
import type { OptionNames } from "../../options.ts";

/** How the hub is reached. Absent options come from the environment. */
export interface HubOptions {
  /** Branch, tag or commit; `main` if absent. */
  revision?: string;
  /** The hub's address; by default `HF_ENDPOINT`, or `https://huggingface.co`. */
  endpoint?: string;
  /** The cache's directory; by default `HF_HUB_CACHE`, or `hub` in `HF_HOME`. */
  cacheDirectory?: string;
  /** Credentials; by default `HF_TOKEN`, or the file `token` in `HF_HOME`. */
  token?: string;
  /** Whether to use only the cache; by default whether `HF_HUB_OFFLINE` is set. */
  offline?: boolean;
  /** How many consecutive failures are retried; 5 by default. */
  retries?: number;
  /** Milliseconds before the first retry, doubled for each further one; 1000 by default. */
  retryDelay?: number;
  /** Milliseconds of silence after which the connection counts as lost; 30000 by default. */
  timeout?: number;
  /** Stops the download; the bytes that have arrived are kept and used next time. */
  signal?: AbortSignal;
  /** Called as bytes arrive, for each file. */
  onProgress?: (progress: DownloadProgress) => void;
}

/** The names of {@linkcode HubOptions}. */
export const HUB_OPTIONS: OptionNames<HubOptions> = {
  revision: true,
  endpoint: true,
  cacheDirectory: true,
  token: true,
  offline: true,
  retries: true,
  retryDelay: true,
  timeout: true,
  signal: true,
  onProgress: true,
};

/**
 * Checks the names of a repository and a revision, which become parts of URLs and paths.
 *
 * @param repository `owner/name` of a model, `datasets/owner/name` of a data set
 * @param revision Branch, tag or commit
 * @throws {RangeError} If one is malformed
 */
export function checkNames(repository: string, revision: string): void {
  const part = "[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?";
  if (
    !new RegExp(`^(?:datasets/)?${part}/${part}$`).test(repository) || repository.length > 200 ||
    repository.includes("--") || repository.includes("..")
  ) {
    throw new RangeError(
      `Cannot use ${JSON.stringify(repository)} as a repository of the hub: expected "owner/name"`,
    );
  }
  if (
    !/^[A-Za-z0-9_.][A-Za-z0-9_./-]*$/.test(revision) || revision.length > 200 ||
    revision.split("/").some((piece) => piece === "" || piece === "." || piece === "..")
  ) {
    throw new RangeError(
      `Cannot use ${
        JSON.stringify(revision)
      } as a revision of "hf:${repository}": expected a branch, tag or commit`,
    );
  }
}

/**
 * Finds server and credentials in options and environment.
 *
 * @param options The caller's options
 * @returns The server to use
 * @throws {RangeError} If the endpoint is malformed
 */
export async function connect(options: HubOptions): Promise<Connection> {
  const endpoint = (options.endpoint ?? (Deno.env.get("HF_ENDPOINT") || "https://huggingface.co"))
    .replace(/\/+$/, "");
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new RangeError(
      `Cannot use ${
        JSON.stringify(endpoint.replace(/^([^/]*\/\/)?[^/]*@/, "$1"))
      } as HF_ENDPOINT: expected an address such as "https://huggingface.co"`,
    );
  }
  return {
    endpoint,
    token: options.token ?? await findToken(),
    retries: options.retries ?? 5,
    retryDelay: options.retryDelay ?? 1000,
    timeout: options.timeout ?? 30_000,
    signal: options.signal,
  };
}

async function findToken(): Promise<string | undefined> {
  if (isSet("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return undefined;
  const path = Deno.env.get("HF_TOKEN_PATH") || join(hubHome(), "token");
  const token = Deno.env.get("HF_TOKEN")?.trim() ||
    (await Deno.readTextFile(path).catch(() => "")).trim();
  return token === "" ? undefined : token;
}

/**
 * Whether only the cache may be used.
 *
 * @param options The caller's options; by default `HF_HUB_OFFLINE` decides
 * @returns Whether requests are forbidden
 */
export function isOffline(options: HubOptions): boolean {
  return options.offline ?? isSet("HF_HUB_OFFLINE");
}

function isSet(name: string): boolean {
  return /^(1|on|yes|true)$/i.test(Deno.env.get(name) ?? "");
}
