// The gradient flow of chapter 3: a small graph of numbers, and the gradient going back through it one step at a time.

import { frames, View } from "tunebook/show";
import { scrolling } from "./scrolling.ts";

/** A number that knows what it was made of. */
export interface GraphNode {
  readonly name: string;
  /** `"input"`, `"+"`, `"×"` and the like. */
  readonly op: string;
  readonly inputs: readonly GraphNode[];
  readonly value: number;
  /** For each input, by how much this value changes when that input changes by 1. */
  readonly slopes: readonly number[];
}

/** An input. */
export const input = (name: string, value: number): GraphNode => ({
  name,
  op: "input",
  inputs: [],
  value,
  slopes: [],
});

/** The sum of two numbers: both slopes are 1. */
export const plus = (name: string, a: GraphNode, b: GraphNode): GraphNode => ({
  name,
  op: "+",
  inputs: [a, b],
  value: a.value + b.value,
  slopes: [1, 1],
});

/** Their product: each one's slope is the other. */
export const times = (name: string, a: GraphNode, b: GraphNode): GraphNode => ({
  name,
  op: "×",
  inputs: [a, b],
  value: a.value * b.value,
  slopes: [b.value, a.value],
});

/** A number's hyperbolic tangent: the slope is 1 − tanh². */
export const tanh = (name: string, a: GraphNode): GraphNode => ({
  name,
  op: "tanh",
  inputs: [a],
  value: Math.tanh(a.value),
  slopes: [1 - Math.tanh(a.value) ** 2],
});

/** All nodes below one, each after everything it is made of. */
export function inOrder(output: GraphNode): GraphNode[] {
  const nodes = new Set<GraphNode>();
  const visit = (node: GraphNode) => {
    if (nodes.has(node)) return;
    node.inputs.forEach(visit);
    nodes.add(node);
  };
  visit(output);
  return [...nodes];
}

/**
 * Shows how the gradient of one number reaches all others.
 *
 * @param output The number whose gradient it is.
 * @returns A slider with a button for one step back; each step hands one node's gradient on to its inputs.
 */
export function gradientFlow(output: GraphNode): View {
  const nodes = inOrder(output);
  const depth = new Map<GraphNode, number>();
  for (const node of nodes) {
    depth.set(node, Math.max(-1, ...node.inputs.map((one) => depth.get(one)!)) + 1);
  }
  const gradients = new Map<GraphNode, number>([[output, 1]]);
  const stages = [new Map(gradients)];
  const handed: (GraphNode | undefined)[] = [undefined];
  for (const node of nodes.toReversed()) {
    if (node.inputs.length === 0) continue;
    node.inputs.forEach((one, i) =>
      gradients.set(one, (gradients.get(one) ?? 0) + gradients.get(node)! * node.slopes[i])
    );
    stages.push(new Map(gradients));
    handed.push(node);
  }
  return frames(
    { step: stages.map((_, i) => i) },
    ({ step }) => draw(nodes, depth, stages[step], handed[step]),
    { title: "The gradient flows back", labels: { step: "steps back" } },
  );
}

const [COLUMN, ROW, WIDTH, HEIGHT] = [150, 76, 116, 58];

function draw(
  nodes: readonly GraphNode[],
  depth: ReadonlyMap<GraphNode, number>,
  gradients: ReadonlyMap<GraphNode, number>,
  handed: GraphNode | undefined,
): View {
  const columns = Math.max(...depth.values()) + 1;
  const lanes = new Array<number>(columns).fill(0);
  const place = new Map(nodes.map((node) => {
    const column = depth.get(node)!;
    return [node, { x: 8 + column * COLUMN, y: 8 + lanes[column]++ * ROW }];
  }));
  const height = 8 + Math.max(...lanes) * ROW;
  const arrows = nodes.flatMap((node) =>
    node.inputs.map((one, i) => {
      const [from, to] = [place.get(one)!, place.get(node)!];
      const active = node === handed;
      const [x1, y1] = [from.x + WIDTH, from.y + HEIGHT / 2];
      // An input that is used twice has two edges, bent apart.
      const uses = node.inputs.filter((other) => other === one).length;
      const bend = uses > 1 ? 20 * (i - (node.inputs.length - 1) / 2) * 2 : 0;
      const [x2, y2] = [to.x, to.y + HEIGHT / 2 + bend / 2];
      return `<path d="M${x1} ${y1 + bend / 2}Q${(x1 + x2) / 2} ${
        (y1 + y2) / 2 + bend
      } ${x2} ${y2}" stroke="${active ? "#d9692a" : "currentColor"}" stroke-width="${
        active ? 3 : 1
      }" stroke-opacity="${active ? 1 : 0.4}" fill="none"/>`;
    })
  );
  const boxes = nodes.map((node) => {
    const { x, y } = place.get(node)!;
    const gradient = gradients.get(node);
    const text = (line: number, words: string, weight = 400) =>
      `<text x="${x + 8}" y="${
        y + 17 + 16 * line
      }" fill="currentColor" font-weight="${weight}">${words}</text>`;
    return `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="5" fill="${
      node === handed ? "rgba(217,105,42,0.25)" : "rgba(128,128,128,0.12)"
    }" stroke="${
      gradient === undefined ? "rgba(128,128,128,0.6)" : "#d9692a"
    }" stroke-width="1.5"/>` +
      text(0, node.op === "input" ? node.name : `${node.name}: ${node.op}`, 700) +
      text(1, `value ${round(node.value)}`) +
      text(2, gradient === undefined ? "gradient …" : `gradient ${round(gradient)}`);
  });
  const known = nodes.filter((node) => gradients.has(node));
  const alt = `Known gradients: ${
    known.map((node) => `${node.name} ${round(gradients.get(node)!)}`).join(", ")
  }.`;
  const width = columns * COLUMN;
  return new View(() => ({
    "text/html": scrolling(
      `<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${alt}" ` +
        `style="width:100%;max-width:${width}px;min-width:620px;height:auto" ` +
        `font-family="system-ui,sans-serif" font-size="12">${arrows.join("")}${
          boxes.join("")
        }</svg>`,
    ),
    "text/plain": alt,
  }));
}

const round = (value: number) => String(Number(value.toFixed(3)));
