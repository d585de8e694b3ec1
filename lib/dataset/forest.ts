/**
 * Batches as forests: sequences that begin alike share their beginning's tokens, which are then
 * computed once, and padding does not exist. Loss and gradients equal the padded batch's.
 */
import { type CountOptions, type EncodedExample, toSequence } from "./encode.ts";

/** Options of {@linkcode forest}. */
export interface ForestOptions extends CountOptions {
  /**
   * One tree a sequence, sharing nothing: what dropout needs, since sequences that share a token would
   * share what is dropped from it.
   *
   * @default {false}
   */
  separate?: boolean;
}

/**
 * A batch as a forest of T tokens in depth-first order: token i attends to token j iff
 * `j <= i < end[j]`, which is to say to itself and its ancestors.
 */
export interface ForestBatch {
  /** The tokens, (T). */
  tokens: Int32Array;
  /** Each token's position in its sequences, from 0, (T). */
  positions: Int32Array;
  /** One past each token's last descendant, (T). */
  end: Int32Array;
  /**
   * What the loss counts: token `rows[k]` is to predict `targets[k]`, and that counts `counts[k]`
   * times, as often as sequences share it. Sorted by row. A token may have several targets.
   */
  edges: { rows: Int32Array; targets: Int32Array; counts: Float32Array };
  /** T: how many tokens a model computes for this batch. */
  tokensComputed: number;
  /** The sum of `edges.counts`: the padded batch's number of counted targets. */
  tokensCounted: number;
  /** How many tokens the padded batch would compute. */
  tokensPadded: number;
  /** How many of those would be no padding. */
  tokensReal: number;
  /** How many sequences were cut at `maxLength`. */
  cut: number;
}

/** A node of the trie that the sequences are gathered in. */
interface Node {
  token: number;
  children: Map<number, Node>;
  targets: Map<number, number>;
}

/**
 * Makes a forest batch. Children come in the order in which the examples first need them, so the
 * same examples in the same order give the same arrays. Tokens whose prediction does not count and on
 * which nothing that counts depends are left out; closing tokens are targets only.
 *
 * @param examples The batch's examples.
 * @param options The mask, the allowed length, and whether sequences share tokens.
 * @returns The batch.
 * @throws {RangeError} If there are no examples, or none of their tokens counts.
 *
 * @example Two sequences that share their first two tokens
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { forest } from "./forest.ts";
 *
 * const batch = forest([
 *   { promptIds: [1, 2], responseIds: [3, 50256], instructionLength: 1 },
 *   { promptIds: [1, 2], responseIds: [4, 50256], instructionLength: 1 },
 * ]);
 * assertEquals([...batch.tokens], [1, 2, 3, 4]);
 * assertEquals([...batch.end], [4, 4, 3, 4]);
 * assertEquals([...batch.edges.rows], [1, 1, 2, 3]);
 * assertEquals([...batch.edges.targets], [3, 4, 50256, 50256]);
 * ```
 */
export function forest(
  examples: readonly EncodedExample[],
  options: ForestOptions = {},
): ForestBatch {
  if (examples.length === 0) throw new RangeError("Cannot make a batch of no examples");
  const sequences = examples.map((example) => toSequence(example, options));
  const roots: Map<number, Node>[] = [new Map()];
  let tokensReal = 0;
  let tokensCounted = 0;
  let longest = 0;
  for (const { inputs, targets, counted } of sequences) {
    tokensReal += inputs.length;
    tokensCounted += targets.length - counted;
    longest = Math.max(longest, inputs.length);
    if (counted === inputs.length) continue; // nothing to learn from it, so nothing to compute
    if (options.separate) roots.push(new Map());
    let children = roots.at(-1)!;
    for (let i = 0; i < inputs.length; i++) {
      const token = inputs[i]!;
      let node = children.get(token);
      if (!node) {
        node = { token, children: new Map(), targets: new Map() };
        children.set(token, node);
      }
      if (i >= counted) node.targets.set(targets[i]!, (node.targets.get(targets[i]!) ?? 0) + 1);
      children = node.children;
    }
  }
  if (tokensCounted === 0) {
    throw new RangeError(
      `Cannot learn from a batch in which nothing counts: under the mask "${
        options.mask ?? "prompt"
      }" and with at most ${
        options.maxLength ?? "any number of"
      } tokens a sequence, no token of its ${examples.length} examples is left`,
    );
  }
  return {
    ...flatten(roots.flatMap((children) => [...children.values()])),
    tokensCounted,
    tokensPadded: sequences.length * longest,
    tokensReal,
    cut: sequences.filter(({ cut }) => cut).length,
  };
}

/** Lays the trees out in depth-first order; without recursion, since sequences may be long. */
function flatten(
  roots: Node[],
): Pick<ForestBatch, "tokens" | "positions" | "end" | "edges" | "tokensComputed"> {
  const tokens: number[] = [];
  const positions: number[] = [];
  const end: number[] = [];
  const rows: number[] = [];
  const targets: number[] = [];
  const counts: number[] = [];
  // a number on the stack closes that row's subtree; a node opens one
  const stack: (number | { node: Node; position: number })[] = [];
  for (const node of roots.toReversed()) stack.push({ node, position: 0 });
  while (stack.length > 0) {
    const top = stack.pop()!;
    if (typeof top === "number") {
      end[top] = tokens.length;
      continue;
    }
    const { node, position } = top;
    const row = tokens.push(node.token) - 1;
    positions.push(position);
    end.push(row + 1);
    for (const [target, count] of node.targets) {
      rows.push(row);
      targets.push(target);
      counts.push(count);
    }
    stack.push(row);
    for (const child of [...node.children.values()].reverse()) {
      stack.push({ node: child, position: position + 1 });
    }
  }
  return {
    tokens: Int32Array.from(tokens),
    positions: Int32Array.from(positions),
    end: Int32Array.from(end),
    edges: {
      rows: Int32Array.from(rows),
      targets: Int32Array.from(targets),
      counts: Float32Array.from(counts),
    },
    tokensComputed: tokens.length,
  };
}

/**
 * Each token's parent in a forest.
 *
 * @param end One past each token's last descendant, (T).
 * @returns The parents' rows, −1 for a tree's first token, (T).
 */
export function parentsOf(end: Int32Array): Int32Array {
  const parents = new Int32Array(end.length);
  const open: number[] = [];
  for (let row = 0; row < end.length; row++) {
    while (open.length > 0 && end[open.at(-1)!]! <= row) open.pop();
    parents[row] = open.at(-1) ?? -1;
    open.push(row);
  }
  return parents;
}
