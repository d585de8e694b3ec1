/** How threads share out `attention`: key heads, with the query heads that read them. */
import type { Context } from "../../cpu/context.ts";
import type { CpuKernel } from "../../cpu/kernel.ts";

/** Copies one head's columns into new scratch memory, rows padded with zeros. */
function loadHead(
  context: Context,
  source: Float32Array,
  tokens: number,
  heads: number,
  head: number,
  headDim: number,
  stride: number,
): number {
  const address = context.reserve(tokens * stride);
  if (stride !== headDim) {
    context.floats.fill(0, address / 4, address / 4 + tokens * stride);
  }
  const columns = { first: head * headDim, last: (head + 1) * headDim };
  const rows = { first: 0, last: tokens };
  context.copyBlock(address, source, heads * headDim, rows, columns, stride);
  return address;
}

/** Copies one head's columns back. */
function storeHead(
  context: Context,
  address: number,
  target: Float32Array,
  tokens: number,
  heads: number,
  head: number,
  headDim: number,
  stride: number,
): void {
  const { floats } = context;
  for (let token = 0; token < tokens; token++) {
    const from = address / 4 + token * stride;
    target.set(floats.subarray(from, from + headDim), (token * heads + head) * headDim);
  }
}

export const attentionForward: CpuKernel = (
  context,
  { q, k, v, tree, y, statistics },
  { tokens, heads, kvHeads, headDim, window, scale, seed, threshold, factor },
) => {
  const stride = Math.ceil(headDim / 4) * 4;
  const shared = heads / kvHeads;
  const { first, last } = context.share(kvHeads);
  for (let kvHead = first; kvHead < last; kvHead++) {
    context.reset();
    const treeAt = context.load(tree.subarray(0, tokens * 2));
    const seenAt = context.reserve(tokens + 4);
    const scoresAt = context.reserve(tokens + 4);
    const statisticsAt = context.reserve(tokens * 2);
    const kAt = loadHead(context, k, tokens, kvHeads, kvHead, headDim, stride);
    const vAt = loadHead(context, v, tokens, kvHeads, kvHead, headDim, stride);
    const yAt = context.reserve(tokens * stride);
    const top = context.mark();
    for (let head = kvHead * shared; head < (kvHead + 1) * shared; head++) {
      context.release(top);
      const qAt = loadHead(context, q, tokens, heads, head, headDim, stride);
      context.wasm.attentionForward(
        qAt,
        kAt,
        vAt,
        treeAt,
        yAt,
        statisticsAt,
        seenAt,
        scoresAt,
        tokens,
        stride,
        window,
        scale,
        head,
        seed,
        threshold,
        factor,
      );
      storeHead(context, yAt, y, tokens, heads, head, headDim, stride);
      context.store(statisticsAt, statistics, {
        first: head * tokens * 2,
        last: (head + 1) * tokens * 2,
      });
    }
  }
};

export const attentionBackward: CpuKernel = (
  context,
  { q, k, v, tree, y, dy, statistics, dq, dk, dv },
  params,
) => {
  const { tokens, heads, kvHeads, headDim, window, scale, seed, threshold, factor } = params;
  const stride = Math.ceil(headDim / 4) * 4;
  const shared = heads / kvHeads;
  const { first, last } = context.share(kvHeads);

  /** A head of a gradient: what is there already, or zeros. */
  const loadSums = (target: Float32Array, count: number, head: number, accumulate: number) => {
    if (accumulate) return loadHead(context, target, tokens, count, head, headDim, stride);
    const address = context.reserve(tokens * stride);
    context.floats.fill(0, address / 4, address / 4 + tokens * stride);
    return address;
  };

  for (let kvHead = first; kvHead < last; kvHead++) {
    context.reset();
    const treeAt = context.load(tree.subarray(0, tokens * 2));
    const seenAt = context.reserve(tokens + 4);
    const scoresAt = context.reserve(tokens + 4);
    const keptAt = context.reserve(tokens + 4);
    const kAt = loadHead(context, k, tokens, kvHeads, kvHead, headDim, stride);
    const vAt = loadHead(context, v, tokens, kvHeads, kvHead, headDim, stride);
    const dkAt = loadSums(dk, kvHeads, kvHead, params.accumulateK);
    const dvAt = loadSums(dv, kvHeads, kvHead, params.accumulateV);
    const top = context.mark();
    for (let head = kvHead * shared; head < (kvHead + 1) * shared; head++) {
      context.release(top);
      const statisticsAt = context.load(
        statistics.subarray(head * tokens * 2, (head + 1) * tokens * 2),
      );
      const qAt = loadHead(context, q, tokens, heads, head, headDim, stride);
      const yAt = loadHead(context, y, tokens, heads, head, headDim, stride);
      const dyAt = loadHead(context, dy, tokens, heads, head, headDim, stride);
      const dqAt = loadSums(dq, heads, head, params.accumulateQ);
      context.wasm.attentionBackward(
        qAt,
        kAt,
        vAt,
        treeAt,
        yAt,
        dyAt,
        statisticsAt,
        dqAt,
        dkAt,
        dvAt,
        seenAt,
        scoresAt,
        keptAt,
        tokens,
        stride,
        window,
        scale,
        head,
        seed,
        threshold,
        factor,
      );
      storeHead(context, dqAt, dq, tokens, heads, head, headDim, stride);
    }
    storeHead(context, dkAt, dk, tokens, kvHeads, kvHead, headDim, stride);
    storeHead(context, dvAt, dv, tokens, kvHeads, kvHead, headDim, stride);
  }
};
