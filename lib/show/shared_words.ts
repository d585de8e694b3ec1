// The words of an answer that also occur in the reference answer, in the same order.

/** A piece of a text. */
export interface Piece {
  text: string;
  /** Whether it is a word that both texts share. */
  shared: boolean;
}

/** The most words for marking; for longer texts the algorithm's table would be too large. */
const mostWords = 800;

/**
 * Finds the words that two texts share, in order: their longest common subsequence, which is what
 * ROUGE-L counts (C.-Y. Lin, "ROUGE", 2004), without stemming. Case and punctuation do not matter.
 *
 * @param text The text to mark.
 * @param reference The text to compare with.
 * @returns The whole of `text` in pieces.
 */
export function sharedWords(text: string, reference: string): Piece[] {
  const pieces = text.match(/[\p{L}\p{N}]+|[^\p{L}\p{N}]+/gu) ?? [];
  const words = pieces.map((piece) => /^[\p{L}\p{N}]/u.test(piece) ? piece.toLowerCase() : "");
  const places = words.flatMap((word, i) => word === "" ? [] : [i]);
  const others = (reference.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => word.toLowerCase());
  const shared = new Set<number>();
  if (places.length <= mostWords && others.length <= mostWords) {
    for (const i of commonSubsequence(places.map((at) => words[at]), others)) shared.add(places[i]);
  }
  return pieces.map((piece, i) => ({ text: piece, shared: shared.has(i) }));
}

/** Indices into `a` of a longest common subsequence of `a` and `b`. */
function commonSubsequence(a: readonly string[], b: readonly string[]): number[] {
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j]
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const kept: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) {
      kept.push(i);
      i++;
      j++;
    } else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
    else j++;
  }
  return kept;
}
