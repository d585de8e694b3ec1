// Winnowing: a few hashes of a sequence, chosen so that every common part of a given length is found
// (Schleimer, Wilkerson and Aiken, "Winnowing: local algorithms for document fingerprinting", 2003).

/** How long a part must be. */
export interface Grain {
  /** Tokens in one hash: nothing shorter is ever found. */
  readonly gram: number;
  /** Hashes in one window: every common part of `gram + window - 1` tokens is found. */
  readonly window: number;
}

/** A chosen hash and where its tokens begin. */
export interface Fingerprint {
  readonly hash: number;
  readonly position: number;
}

const BASE = 0x01000193;

/**
 * Hashes every run of `gram` tokens (Karp and Rabin's rolling hash, modulo 2³²).
 *
 * @param ids The tokens as numbers.
 * @param from Where to begin.
 * @param to Where to end, exclusive.
 * @param gram Tokens in a run.
 * @returns One hash for each run, in order; none if there are fewer tokens.
 */
export function gramHashes(
  ids: Int32Array,
  from: number,
  to: number,
  gram: number,
): Uint32Array {
  const count = to - from - gram + 1;
  if (count <= 0) return new Uint32Array();
  let top = 1;
  for (let i = 1; i < gram; i++) top = Math.imul(top, BASE);
  const hashes = new Uint32Array(count);
  let hash = 0;
  for (let i = from; i < to; i++) {
    if (i - from >= gram) hash = (hash - Math.imul(scatter(ids[i - gram]!), top)) | 0;
    hash = (Math.imul(hash, BASE) + scatter(ids[i]!)) | 0;
    if (i - from >= gram - 1) hashes[i - from - gram + 1] = mix(hash);
  }
  return hashes;
}

/** Small numbers spread over 32 bits. */
function scatter(id: number): number {
  return mix(Math.imul(id + 1, 0x9e3779b1)) | 0;
}

/** The finaliser of MurmurHash3, so that the least hash of a window is any of them. */
function mix(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Chooses fingerprints: the least hash of every window, the last of equal ones.
 *
 * @param hashes The hashes of all runs.
 * @param offset The position of the first.
 * @param window Hashes in a window.
 * @returns The chosen ones, in order.
 */
export function winnow(hashes: Uint32Array, offset: number, window: number): Fingerprint[] {
  const chosen: Fingerprint[] = [];
  const width = Math.min(window, hashes.length);
  let least = -1;
  for (let end = width - 1; end < hashes.length && width > 0; end++) {
    const begin = end - width + 1;
    const before = least;
    if (least < begin) {
      least = begin;
      for (let i = begin + 1; i <= end; i++) if (hashes[i]! <= hashes[least]!) least = i;
    } else if (hashes[end]! < hashes[least]!) least = end; // robust: of equal ones, the one chosen stays
    if (least !== before) chosen.push({ hash: hashes[least]!, position: offset + least });
  }
  return chosen;
}
