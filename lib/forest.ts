/**
 * Sequences as a forest: those that begin alike share the rows of their beginning, in depth-first order.
 *
 * @module
 */

/** A forest of tokens, and where each sequence lies in it. */
export interface SequenceForest {
  /** The tokens in depth-first order, (T). */
  readonly tokens: Int32Array;
  /** Each token's position in its sequences, from 0, (T). */
  readonly positions: Int32Array;
  /** One past each token's last descendant, (T). */
  readonly end: Int32Array;
  /** For each sequence, the row of each of its tokens. */
  readonly paths: readonly Int32Array[];
}

/** Which rows predict which tokens: the edges that a loss sums over. */
export interface LossEdges {
  /** The rows, ascending, (E). */
  readonly rows: Int32Array;
  /** The token that each row is to predict, (E). A row may have several. */
  readonly targets: Int32Array;
  /** How often each edge counts, (E): the sum of the weights of the sequences that share it. */
  readonly counts: Float32Array;
}

/**
 * A batch as a forest of T tokens in depth-first order: token i attends to token j if and only if `j <= i < end[j]`,
 * which is to say to itself and its ancestors. Padded and packed batches are forests whose trees are single sequences.
 */
export interface ForestBatch {
  /** The tokens, (T). */
  readonly tokens: Int32Array;
  /** Each token's position in its sequences, from 0, (T). */
  readonly positions: Int32Array;
  /** One past each token's last descendant, (T). */
  readonly end: Int32Array;
  /** What the loss counts. */
  readonly edges: LossEdges;
}

interface Node {
  readonly token: number;
  readonly children: Map<number, Node>;
  row: number;
}

/**
 * Lays sequences out as a forest. Children come in the order in which sequences first need them, so the same
 * sequences in the same order give the same arrays.
 *
 * @param sequences The tokens of each sequence.
 * @param options `separate` gives every sequence a tree of its own, sharing nothing.
 * @returns The forest.
 *
 * @example Two sequences that share their first two tokens
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { growForest } from "./forest.ts";
 *
 * const { tokens, end, paths } = growForest([[1, 2, 3], [1, 2, 4]]);
 * assertEquals([...tokens], [1, 2, 3, 4]);
 * assertEquals([...end], [4, 4, 3, 4]);
 * assertEquals([...paths[1]], [0, 1, 3]);
 * ```
 */
export function growForest(
  sequences: readonly (readonly number[])[],
  options: { separate?: boolean } = {},
): SequenceForest {
  const roots: Map<number, Node>[] = [new Map()];
  const nodePaths = sequences.map((sequence) => {
    if (options.separate) roots.push(new Map());
    let children = roots.at(-1)!;
    return sequence.map((token) => {
      let node = children.get(token);
      if (!node) {
        node = { token, children: new Map(), row: -1 };
        children.set(token, node);
      }
      children = node.children;
      return node;
    });
  });

  const tokens: number[] = [];
  const positions: number[] = [];
  const end: number[] = [];
  // Without recursion, since sequences may be long. A number on the stack closes that row's subtree, a node opens one.
  const stack: (number | { node: Node; position: number })[] = [];
  const push = (children: Iterable<Node>, position: number) => {
    for (const node of [...children].reverse()) stack.push({ node, position });
  };
  push(roots.flatMap((children) => [...children.values()]), 0);
  while (stack.length > 0) {
    const top = stack.pop()!;
    if (typeof top === "number") {
      end[top] = tokens.length;
      continue;
    }
    const { node, position } = top;
    node.row = tokens.push(node.token) - 1;
    positions.push(position);
    end.push(node.row + 1);
    stack.push(node.row);
    push(node.children.values(), position + 1);
  }
  return {
    tokens: Int32Array.from(tokens),
    positions: Int32Array.from(positions),
    end: Int32Array.from(end),
    paths: nodePaths.map((path) => Int32Array.from(path, (node) => node.row)),
  };
}
