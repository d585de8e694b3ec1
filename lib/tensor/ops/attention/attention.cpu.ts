/** How threads share out `attention`: query heads, and the rows of one where heads do not divide evenly. */
import type { Context, Range } from "../../cpu/context.ts";
import { implement, ints, type ParamsOf } from "../../cpu/kernel.ts";
import { HeadMemory, type Part, strideOf } from "./head_memory.ts";
import type { backwardKernel, forwardKernel } from "./attention.ts";

/** Queries that the WASM kernels compute together, consecutive and each the next one's parent: BLOCK of attention.as.ts. */
const BLOCK = 8;

/** Floats of scratch memory that keys and queries of a bundle may take; those of a single key head may take more. */
const BUNDLE_FLOATS = 512 * 1024;

/** Key heads that are in scratch memory together, and a thread's part of the query heads that read them. */
interface Bundle {
  readonly kvHeads: Range;
  readonly heads: Range;
  readonly parts: readonly Part[];
  /** The rows that the parts are in. */
  readonly rows: Range;
  /** Whether another thread began with the only key head. */
  readonly continued: boolean;
}

type Params = ParamsOf<typeof forwardKernel>;

/**
 * This thread's queries. Threads get equally many pairs of tokens: some heads whole, and of the first and the last
 * perhaps only some rows.
 */
function ownParts({ thread, threads }: Context, tree: Float32Array, params: Params): Part[] {
  const { heads } = params;
  const cuts = cutRows(ints(tree), params, threads);
  const parts: Part[] = [];
  // Each head has as many sections as there are threads, and each thread gets as many sections as there are heads.
  for (let section = thread * heads; section < (thread + 1) * heads;) {
    const head = Math.floor(section / threads);
    const next = Math.min((head + 1) * threads, (thread + 1) * heads);
    const rows = { first: cuts[section - head * threads], last: cuts[next - head * threads] };
    if (rows.first < rows.last) parts.push({ head, rows });
    section = next;
  }
  return parts;
}

/**
 * Cuts tokens into sections that see about as many tokens each; the first cut is 0, the last the number of tokens. No
 * block of the WASM kernels is cut, so that its sums have the same order on any number of threads.
 */
function cutRows(tree: Int32Array, { tokens, window }: Params, sections: number): number[] {
  const seen = (token: number) => Math.min(tree[2 * token + 1] + 1, window || Infinity);
  let all = 0;
  for (let token = 0; token < tokens; token++) all += seen(token);
  const cuts = [0];
  for (let token = 0, blockStart = 0, sum = 0; token < tokens; token++) {
    const goesOn = token > 0 && tree[2 * (token - 1)] > token;
    if (!goesOn || token - blockStart === BLOCK) blockStart = token;
    if (token === blockStart) {
      while (cuts.length < sections && sum >= (all * cuts.length) / sections) cuts.push(token);
    }
    sum += seen(token);
  }
  while (cuts.length <= sections) cuts.push(tokens);
  return cuts;
}

/** This thread's queries, by the key heads that they read. */
function ownBundles(context: Context, tree: Float32Array, params: Params): Bundle[] {
  const { tokens, heads, kvHeads, headDim } = params;
  const shared = heads / kvHeads;
  const most = Math.max(1, Math.floor(BUNDLE_FLOATS / (tokens * strideOf(headDim) * (1 + shared))));
  const parts = ownParts(context, tree, params);
  const kvHeadOf = ({ head }: Part) => Math.floor(head / shared);
  const continued = parts.length > 0 && (parts[0].head % shared > 0 || parts[0].rows.first > 0);
  const firstWhole = continued ? kvHeadOf(parts[0]) + 1 : 0;
  const bundleOf = (part: Part) =>
    kvHeadOf(part) < firstWhole ? -1 : Math.floor((kvHeadOf(part) - firstWhole) / most);
  return [...Map.groupBy(parts, bundleOf)].map(([bundle, parts]) => {
    const first = parts[0], last = parts.at(-1)!;
    return {
      kvHeads: { first: kvHeadOf(first), last: kvHeadOf(last) + 1 },
      heads: { first: first.head, last: last.head + 1 },
      parts,
      rows: parts.length === 1 ? first.rows : { first: 0, last: tokens },
      continued: bundle === -1,
    };
  });
}

/** Makes scratch memory for the heads of a bundle. */
function memoriesOf(context: Context, params: Params, { kvHeads, heads, rows }: Bundle) {
  const { headDim, tokens, qWidth, qFirst, kWidth, kFirst, vWidth, vFirst } = params;
  const all = { first: 0, last: tokens };
  const memory = (width: number, first: number, heads: Range, rows: Range) =>
    new HeadMemory(context, { headDim, width, first }, heads, rows);
  return {
    keyMemory: () => memory(kWidth, kFirst, kvHeads, all),
    valueMemory: () => memory(vWidth, vFirst, kvHeads, all),
    queryMemory: () => memory(qWidth, qFirst, heads, rows),
    resultMemory: () => memory(params.heads * headDim, 0, heads, rows),
  };
}

/** Where the statistics of a part are. */
function statisticsOf({ head, rows }: Part, tokens: number): Range {
  return { first: (head * tokens + rows.first) * 2, last: (head * tokens + rows.last) * 2 };
}

export const attentionForward = implement<typeof forwardKernel>("attention.forward", (
  context,
  { q, k, v, tree, y, statistics },
  params,
) => {
  const { tokens, heads, kvHeads, headDim, window, scale, seed, threshold, factor } = params;
  const { rowsBefore, rowsInAll } = params;
  const treeAt = context.load(tree.subarray(0, tokens * 2));
  const seenAt = context.reserve(tokens + 4);
  const scoresAt = context.reserve(2 * (tokens + 8));
  const statisticsAt = context.reserve(tokens * 2);
  const base = context.mark();
  for (const own of ownBundles(context, tree, params)) {
    context.release(base);
    const { keyMemory, valueMemory, queryMemory, resultMemory } = memoriesOf(context, params, own);
    const keys = keyMemory().load(k), values = valueMemory().load(v);
    const queries = queryMemory().load(q), results = resultMemory();
    for (const part of own.parts) {
      const { head, rows } = part;
      const kvHead = Math.floor(head / (heads / kvHeads));
      context.wasm.attentionForward(
        queries.at(head, rows.first),
        keys.at(kvHead, 0),
        values.at(kvHead, 0),
        treeAt,
        results.at(head, rows.first),
        statisticsAt,
        seenAt,
        scoresAt,
        rows.first,
        rows.last,
        tokens,
        strideOf(headDim),
        window,
        scale,
        head,
        seed,
        threshold,
        factor,
        rowsBefore,
        rowsInAll,
      );
      context.store(statisticsAt, statistics, statisticsOf(part, tokens));
    }
    results.store(y, own.parts);
  }
});

export const attentionBackward = implement<typeof backwardKernel>("attention.backward", (
  context,
  { q, k, v, tree, y, dy, statistics, dq, dk, dv },
  params,
) => {
  const { tokens, heads, kvHeads, headDim, window, scale, seed, threshold, factor } = params;
  const { rowsBefore, rowsInAll } = params;
  const { accumulateQ, accumulateK, accumulateV } = params;
  const { thread, threads, barrier } = context;
  const treeAt = context.load(tree.subarray(0, tokens * 2));
  const seenAt = context.reserve(tokens + 4);
  const weightsAt = context.reserve(BLOCK * (tokens + 8));
  const scoresAt = context.reserve(BLOCK * (tokens + 8));
  const rowListAt = context.reserve(BLOCK);
  let base = context.mark();
  /** What this thread adds to a key head that another began with. */
  let rest: { dKeys: HeadMemory; dValues: HeadMemory } | undefined;

  for (const own of ownBundles(context, tree, params)) {
    context.release(base);
    const { keyMemory, valueMemory, queryMemory, resultMemory } = memoriesOf(context, params, own);
    const dKeys = keyMemory().loadSums(dk, !own.continued && accumulateK);
    const dValues = valueMemory().loadSums(dv, !own.continued && accumulateV);
    if (own.continued) {
      rest = { dKeys, dValues };
      base = context.mark();
    }
    const keys = keyMemory().load(k), values = valueMemory().load(v);
    const queries = queryMemory().load(q), results = resultMemory().load(y);
    const dResults = resultMemory().load(dy), dQueries = queryMemory().loadSums(dq, accumulateQ);
    const top = context.mark();
    for (const part of own.parts) {
      context.release(top);
      const { head, rows } = part;
      const kvHead = Math.floor(head / (heads / kvHeads));
      const { first, last } = statisticsOf(part, tokens);
      context.wasm.attentionBackward(
        queries.at(head, rows.first),
        keys.at(kvHead, 0),
        values.at(kvHead, 0),
        treeAt,
        results.at(head, rows.first),
        dResults.at(head, rows.first),
        context.load(statistics.subarray(first, last)),
        dQueries.at(head, rows.first),
        dKeys.at(kvHead, 0),
        dValues.at(kvHead, 0),
        seenAt,
        weightsAt,
        scoresAt,
        rowListAt,
        rows.first,
        rows.last,
        tokens,
        strideOf(headDim),
        window,
        scale,
        head,
        seed,
        threshold,
        factor,
        rowsBefore,
        rowsInAll,
      );
    }
    dQueries.store(dq, own.parts);
    if (!own.continued) {
      dKeys.store(dk);
      dValues.store(dv);
    }
  }

  if (kvHeads % threads === 0) return; // no two threads have the same key head
  for (let turn = 1; turn < threads; turn++) {
    barrier.wait();
    if (turn !== thread || !rest) continue;
    for (const [target, added] of [[dk, rest.dKeys], [dv, rest.dValues]] as const) {
      context.release(base);
      const sums = new HeadMemory(context, added.shape, added.heads, added.rows).load(target);
      context.wasm.addTo(added.address, sums.address, sums.floats);
      sums.store(target);
    }
  }
});
