// Which option of the command would allow what a sandbox seems to have refused.

/** What errors say, and what to say about them; the first that fits counts. */
const HINTS: [RegExp, string][] = [
  [
    /Failed to spawn|\bspawn(?:Sync)? .*\bE(?:PERM|ACCES)\b/,
    "the sandbox starts no programs, and no option allows any",
  ],
  [
    /Failed loading https?:|error sending request for url \(https?:\/\/(?:registry\.npmjs\.org|jsr\.io)/,
    'the sandbox has no network: run "deno cache" outside for the packages that a notebook imports',
  ],
  [
    /Address family not supported|os error 97\b/,
    "the sandbox has no sockets but its own TCP and UDP, and no option allows others",
  ],
  [/No space left|ENOSPC|os error 28\b/i, "what the sandbox may write is set by --disk"],
  [
    /out of memory|allocation failed|heap limit|ENOMEM|os error 12\b/i,
    "the sandbox's memory is set by --memory",
  ],
  [
    /not found "file:|NotFound|ENOENT|No such file|os error 2\b/i,
    "the sandbox sees only files that --allow-read names",
  ],
  [
    /PermissionDenied|EACCES|EROFS|Read-only|os error (?:13|30)\b/i,
    "the sandbox writes only where --allow-write says",
  ],
  [
    /\bdns\b|Network ?(?:is )?unreachable|fetch failed|EAI_AGAIN|ENETUNREACH|error sending request|os error 101\b/i,
    "the sandbox has no network, and no option allows one; run without --sandbox if you trust the notebook",
  ],
  [/^TimeoutError: The notebook ran longer/, "the time of a run is set by --total-timeout"],
];

/**
 * Names the options that would allow what a sandbox has refused.
 *
 * @param failures Cells that failed.
 * @returns A sentence for each kind of refusal, with the cells.
 */
export function sandboxHints(
  failures: readonly { cell: number; name: string; message: string }[],
): string[] {
  const cells = new Map<string, number[]>();
  for (const { cell, name, message } of failures) {
    const text = `${name}: ${message}`;
    const hint = HINTS.find(([said]) => said.test(text))?.[1];
    if (hint !== undefined) cells.set(hint, [...cells.get(hint) ?? [], cell]);
  }
  return Array.from(cells, ([hint, at]) => `${hint} (cell ${at.join(", ")})`);
}
