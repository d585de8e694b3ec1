/**
 * What `kernels.wasm` exports. Written by `deno task build` from the signatures in `*.as.ts`.
 *
 * @module
 */

/** Exports of `kernels.wasm`. Addresses are bytes in the thread's WASM memory. */
export interface WasmKernels {
  adamw(
    parameter: number,
    gradient: number,
    mean: number,
    variance: number,
    size: number,
    gradientScale: number,
    decay: number,
    rate1: number,
    beta2: number,
    rate2: number,
    stepSize: number,
    rootCorrection2: number,
    epsilon: number,
  ): void;
  addRows(x: number, y: number, rows: number, columns: number): void;
  addTo(x: number, y: number, size: number): void;
  attentionBackward(
    q: number,
    k: number,
    v: number,
    tree: number,
    y: number,
    dy: number,
    statistics: number,
    dq: number,
    dk: number,
    dv: number,
    seen: number,
    weights: number,
    scores: number,
    rowList: number,
    first: number,
    last: number,
    tokens: number,
    stride: number,
    window: number,
    scale: number,
    head: number,
    seed: number,
    threshold: number,
    factor: number,
    before: number,
    all: number,
  ): void;
  attentionForward(
    q: number,
    k: number,
    v: number,
    tree: number,
    y: number,
    statistics: number,
    seen: number,
    scores: number,
    first: number,
    last: number,
    tokens: number,
    stride: number,
    window: number,
    scale: number,
    head: number,
    seed: number,
    threshold: number,
    factor: number,
    before: number,
    all: number,
  ): void;
  cachedAttention(
    q: number,
    keys: number,
    values: number,
    y: number,
    scores: number,
    length: number,
    columns: number,
    kvHeads: number,
    shared: number,
    headDim: number,
    scale: number,
  ): void;
  crossEntropyBackward(logits: number, size: number, logSum: number, factor: number): void;
  crossEntropyForward(logits: number, size: number, statistics: number): void;
  dequantizeBf16(x: number, y: number, blocks: number): void;
  dequantizeF16(x: number, y: number, blocks: number): void;
  dequantizeNf4(
    codes: number,
    stride: number,
    magnitudes: number,
    magnitudeStride: number,
    y: number,
    blocks: number,
  ): void;
  dequantizeQ4_0(x: number, y: number, blocks: number): void;
  dequantizeQ4_1(x: number, y: number, blocks: number): void;
  dequantizeQ4_K(x: number, y: number, blocks: number): void;
  dequantizeQ5_0(x: number, y: number, blocks: number): void;
  dequantizeQ5_1(x: number, y: number, blocks: number): void;
  dequantizeQ5_K(x: number, y: number, blocks: number): void;
  dequantizeQ6_K(x: number, y: number, blocks: number): void;
  dequantizeQ8_0(x: number, y: number, blocks: number): void;
  doubleMagnitudes(codes: number, scales: number, first: number, to: number, blocks: number): void;
  dropout(
    x: number,
    y: number,
    size: number,
    first: number,
    seed: number,
    threshold: number,
    factor: number,
    accumulate: number | boolean,
  ): void;
  gatedBackward(
    gate: number,
    up: number,
    dy: number,
    dGate: number,
    dUp: number,
    size: number,
    slope: number,
    cubic: number,
    accumulateGate: number | boolean,
    accumulateUp: number | boolean,
  ): void;
  gatedForward(
    gate: number,
    up: number,
    y: number,
    size: number,
    slope: number,
    cubic: number,
  ): void;
  geluBackward(x: number, dy: number, dx: number, size: number, accumulate: number | boolean): void;
  geluForward(x: number, y: number, size: number): void;
  joinHeads(
    from: number,
    to: number,
    rows: number,
    heads: number,
    headDim: number,
    headBytes: number,
  ): void;
  layerNormBackwardInput(
    x: number,
    weight: number,
    statistics: number,
    dy: number,
    dx: number,
    rows: number,
    width: number,
    accumulate: number | boolean,
  ): void;
  layerNormBackwardWeights(
    x: number,
    statistics: number,
    dy: number,
    dWeight: number,
    dBias: number,
    rows: number,
    columns: number,
  ): void;
  layerNormForward(
    x: number,
    weight: number,
    bias: number,
    y: number,
    statistics: number,
    rows: number,
    width: number,
    epsilon: number,
  ): void;
  multiplyPanel(b: number, c: number, columns: number, k: number, stride: number): void;
  multiplyRowBf16(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyRowF16(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyRowNf4(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyRowNf4Double(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyRowQ4_0(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyRowQ4_1(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyRowQ4_K(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyRowQ5_0(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyRowQ5_1(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyRowQ5_K(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyRowQ6_K(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyRowQ8_0(
    matrix: number,
    inputs: number,
    inputSums: number,
    y: number,
    rows: number,
    turns: number,
    scale: number,
  ): void;
  multiplyWide(
    x: number,
    w: number,
    y: number,
    m: number,
    n: number,
    k: number,
    stride: number,
  ): void;
  packB(source: number, target: number, columns: number, k: number, stride: number): void;
  packBTransposed(source: number, target: number, columns: number, k: number, stride: number): void;
  panelAddress(): number;
  permuteBytes(
    x: number,
    to: number,
    sums: number,
    blocks: number,
    part: number,
    factor: number,
  ): void;
  permuteHalves(x: number, to: number, size: number, factor: number): void;
  permuteNibbles(x: number, to: number, sums: number, blocks: number, factor: number): void;
  permutePairs(x: number, to: number, sums: number, blocks: number, factor: number): void;
  rmsNormBackwardInput(
    x: number,
    weight: number,
    inverses: number,
    dy: number,
    dx: number,
    rows: number,
    width: number,
    offset: number,
    accumulate: number | boolean,
  ): void;
  rmsNormBackwardWeight(
    x: number,
    inverses: number,
    dy: number,
    dWeight: number,
    rows: number,
    columns: number,
  ): void;
  rmsNormForward(
    x: number,
    weight: number,
    y: number,
    inverses: number,
    rows: number,
    width: number,
    epsilon: number,
    offset: number,
  ): void;
  rotary(
    x: number,
    angles: number,
    y: number,
    rows: number,
    heads: number,
    headDim: number,
    direction: number,
    accumulate: number | boolean,
  ): void;
  scale(x: number, y: number, size: number, factor: number, accumulate: number | boolean): void;
  splatColumns(source: number, target: number, rows: number, k: number, stride: number): void;
  splatRows(source: number, target: number, rows: number, k: number, stride: number): void;
  splitHeads(
    from: number,
    to: number,
    rows: number,
    heads: number,
    headDim: number,
    headBytes: number,
  ): void;
  sumOfSquares(x: number, size: number): number;
  widenNf4Double(
    codes: number,
    scales: number,
    first: number,
    rowBlocks: number,
    y: number,
    rows: number,
    blocks: number,
  ): number;
}
