/** Ranks of pairs for merging, computed on demand instead of listed. */
import type { Merges } from "./definition.ts";

/** The rank of the pair in a piece from `start` to `middle` and from there to `end`. */
export type MergeRanks = (
  piece: string,
  start: number,
  middle: number,
  end: number,
) => number | undefined;

/** Separates a pair's tokens: half a character, which no token contains. */
const BETWEEN = "\ud800";

/**
 * Creates the look-up.
 *
 * @param merges The merges.
 * @param tokens The tokens by id.
 * @param ids Their ids.
 * @returns The rank of a pair: lower ranks merge earlier; `undefined` if it does not merge.
 */
export function mergeRanks(
  merges: Merges,
  tokens: readonly (string | undefined)[],
  ids: ReadonlyMap<string, number>,
): MergeRanks {
  return merges.kind === "listed" ? listedRanks(merges.pairs) : scoredRanks(merges, tokens, ids);
}

function listedRanks(pairs: readonly (string | readonly [string, string])[]): MergeRanks {
  const ranks = new Map<string, number>();
  const between = typeof pairs[0] === "string" ? " " : BETWEEN;
  for (let rank = 0; rank < pairs.length; rank++) {
    const pair = pairs[rank]!;
    ranks.set(typeof pair === "string" ? pair : pair[0] + BETWEEN + pair[1], rank);
  }
  return (piece, start, middle, end) =>
    ranks.get(piece.slice(start, middle) + between + piece.slice(middle, end));
}

/**
 * transformers sorts pairs by score, length of the left token and length of the right token, each
 * in descending order, then by the id of the merged token. Here these form one number per pair.
 */
function scoredRanks(
  { scores }: Merges & { kind: "scored" },
  tokens: readonly (string | undefined)[],
  ids: ReadonlyMap<string, number>,
): MergeRanks {
  const dense = denseRanks(scores, tokens.length);
  const length = (text: string) => {
    let characters = text.length; // in characters, as Python counts: two surrogates are one
    for (let i = 0; i < text.length; i++) {
      if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) characters--;
    }
    return characters;
  };
  return (piece, start, middle, end) => {
    const made = ids.get(piece.slice(start, end));
    if (made === undefined) return undefined;
    const left = piece.slice(start, middle);
    const right = piece.slice(middle, end);
    if (!ids.has(left) || !ids.has(right)) return undefined;
    // at most 2^18 scores, two lengths of a byte each and 2^19 ids fit a number's 53 bits
    const lengths = (255 - Math.min(255, length(left))) * 256 + 255 - Math.min(255, length(right));
    return (dense[made]! * 65536 + lengths) * tokens.length + made;
  };
}

/** For each token, the number of different higher scores. */
function denseRanks(scores: ArrayLike<number>, count: number): Uint32Array {
  const ranks = new Uint32Array(count);
  let falling = true;
  for (let id = 1; id < count && falling; id++) falling = scores[id]! < scores[id - 1]!;
  if (falling) return ranks.map((_, id) => id);
  const distinct = Float64Array.from(new Set(Array.from({ length: count }, (_, id) => scores[id]!)))
    .sort();
  const rankOf = new Map<number, number>();
  for (let i = 0; i < distinct.length; i++) rankOf.set(distinct[i]!, distinct.length - 1 - i);
  return ranks.map((_, id) => rankOf.get(scores[id]!)!);
}

/**
 * The merges in order, as in `tokenizer.json`.
 *
 * @param merges The merges.
 * @param tokens The tokens by id.
 * @returns Pairs of tokens, the earliest first.
 */
export function* listMerges(
  merges: Merges,
  tokens: readonly (string | undefined)[],
): Generator<[string, string], void, void> {
  if (merges.kind === "listed") {
    for (const pair of merges.pairs) {
      if (typeof pair !== "string") {
        yield [pair[0], pair[1]];
        continue;
      }
      const at = pair.indexOf(" ");
      yield [pair.slice(0, at), pair.slice(at + 1)];
    }
    return;
  }
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) if (token !== undefined) ids.set(token, id);
  const rank = scoredRanks(merges, tokens, ids);
  // Numbers only: large vocabularies have half a million pairs, whose strings would take ten times as much memory.
  const found = { rank: [] as number[], id: [] as number[], middle: [] as number[] };
  for (const [token, id] of ids) {
    for (let middle = 1; middle < token.length; middle++) {
      const made = rank(token, 0, middle, token.length);
      if (made === undefined) continue;
      found.rank.push(made);
      found.id.push(id);
      found.middle.push(middle);
    }
  }
  const order = Uint32Array.from(found.rank, (_, at) => at)
    .sort((a, b) => found.rank[a]! - found.rank[b]! || a - b);
  for (const at of order) {
    const [token, middle] = [tokens[found.id[at]!]!, found.middle[at]!];
    yield [token.slice(0, middle), token.slice(middle)];
  }
}
