// Every op on every device against PyTorch: value and every gradient. An op is tested by being listed in `ops`.

import { assertEquals } from "@std/assert";
import {
  adamwInto,
  add,
  attention,
  embedding,
  geglu,
  gelu,
  globalNorm,
  layerNorm,
  linearCrossEntropy,
  linearLogProbs,
  matmul,
  rmsNorm,
  rotary,
  rotaryAngles,
  type RotaryScaling,
  scale,
  softCap,
  swiglu,
  Tensor,
} from "../../lib/tensor/mod.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { type GoldenCase, loadGolden } from "../golden/golden.ts";
import { assertClose, type Tolerance } from "../support.ts";
import { differentiate } from "./gradients.ts";

type Results = Record<string, Float32Array | Int32Array>;

/** Computes what a case of an op asks for: values by the golden tensors' names. */
type OpTest = (device: Device, golden: GoldenCase) => Promise<Results>;

const ops: Record<string, OpTest> = {
  matmul: recorded(["a", "b", "bias"], ({ a, b, bias }, { attributes }) =>
    matmul(a, b, {
      bias,
      transposeA: attributes.transposeA,
      transposeB: attributes.transposeB,
    })),
  embedding: recorded(
    ["table"],
    ({ table }, { tensors }) => embedding(table, tensors.ids.data as Int32Array),
  ),
  add: recorded(["input", "other"], ({ input, other }) => add(input, other)),
  scale: recorded(["input"], ({ input }, { attributes }) => scale(input, attributes.factor)),
  gelu: recorded(["input"], ({ input }) => gelu(input)),
  layer_norm: recorded(
    ["input", "weight", "bias"],
    ({ input, weight, bias }, { attributes }) => layerNorm(input, weight, bias, attributes.eps),
  ),
  swiglu: recorded(["gate", "up"], ({ gate, up }) => swiglu(gate, up)),
  geglu: recorded(["gate", "up"], ({ gate, up }) => geglu(gate, up)),
  rms_norm: recorded(
    ["input", "weight"],
    ({ input, weight }, { attributes: { eps, offset } }) =>
      rmsNorm(input, weight, { epsilon: eps, offset }),
  ),
  rotary: recorded(["input"], ({ input }, { attributes, tensors }) => {
    const { headDim, theta, scaling } = attributes;
    const positions = tensors.positions.data as Int32Array;
    const angles = rotaryAngles(input.device, positions, {
      headDim,
      theta,
      scaling: scaling && scalingOf(scaling),
    });
    return rotary(input, angles);
  }),
  attention: recorded(
    ["q", "k", "v"],
    ({ q, k, v }, { attributes, tensors }) =>
      attention(q, k, v, {
        heads: attributes.heads,
        kvHeads: attributes.kvHeads,
        window: attributes.window ?? undefined,
        forest: {
          end: tensors.end.data as Int32Array,
          positions: tensors.positions.data as Int32Array,
        },
      }),
  ),
  linear_cross_entropy: recorded(
    ["hidden", "weight"],
    ({ hidden, weight }, { tensors }) =>
      linearCrossEntropy(
        hidden,
        weight,
        {
          rows: tensors.rows.data as Int32Array,
          targets: tensors.targets.data as Int32Array,
          counts: tensors.counts.data as Float32Array,
        },
        { chunkSize: 64 }, // several chunks of a small vocabulary
      ),
  ),
  adamw: async (device, { attributes, tensors }) => {
    const { lr, beta1, beta2, eps, weightDecay } = attributes;
    const { shape, data } = tensors.weight;
    const weight = Tensor.from(device, data, shape);
    const mean = Tensor.from(device, new Float32Array(data.length), shape);
    const variance = Tensor.from(device, new Float32Array(data.length), shape);
    const results: Results = {};
    for (const step of [1, 2, 3]) {
      const gradient = Tensor.from(device, tensors[`grad${step}`].data, shape);
      adamwInto(weight, gradient, mean, variance, {
        step,
        learningRate: lr,
        beta1,
        beta2,
        epsilon: eps,
        weightDecay,
      });
      results[`weight${step}`] = await weight.data();
      results[`m${step}`] = await mean.data();
      results[`v${step}`] = await variance.data();
    }
    return results;
  },
  global_norm: async (device, { attributes, tensors }) => {
    const inputs = Array.from({ length: attributes.count }, (_, i) => {
      const { data, shape } = tensors[`tensor${i}`];
      return Tensor.from(device, data, shape);
    });
    return { output: Float32Array.of(await globalNorm(inputs)) };
  },
};

/** How near to the largest expected number results must be, where it is not 2e-6. */
const tolerances: Record<string, Tolerance> = {
  // Sums of terms that cancel; of a row of one element nothing is left.
  layer_norm: { relative: 1e-5, absolute: 1e-6 },
  rms_norm: { relative: 1e-5, absolute: 1e-6 },
  attention: { relative: 1e-5 },
  linear_cross_entropy: { relative: 1e-5 },
};

const goldens = [loadGolden("ops"), loadGolden("llama_ops")];
const goldenOps = goldens.flatMap(({ ops }) => ops);
const casesOf = (op: string) => goldens.find(({ ops }) => ops.includes(op))!.cases(op);

Deno.test("every op with golden files is tested, and every tested op has them", () => {
  assertEquals(Object.keys(ops).sort(), [...goldenOps].sort());
});

onEveryDevice(
  "linearLogProbs() are what linearCrossEntropy() sums, in value and gradients",
  async (device) => {
    const summed = recorded(["hidden", "weight"], ({ hidden, weight }, { tensors }) => {
      const [rows, targets] = [tensors.rows.data, tensors.targets.data] as Int32Array[];
      const counts = tensors.counts.data as Float32Array<ArrayBuffer>;
      const total = counts.reduce((sum, count) => sum + count, 0);
      const logProbs = linearLogProbs(hidden, weight, { rows, targets, counts }, { chunkSize: 64 });
      return logProbs.mul(Tensor.from(device, counts)).sum().mul(-1 / total);
    });
    for (const one of casesOf("linear_cross_entropy")) {
      for (const [name, values] of Object.entries(await summed(device, one))) {
        assertClose(values, one.tensors[name].data, { relative: 1e-5 }, `${one.name} ${name}`);
      }
    }
  },
);

onEveryDevice("linearLogProbs() with a soft cap are those of the capped logits", async (device) => {
  const [{ tensors }] = casesOf("linear_cross_entropy");
  const [hidden, weight] = [tensors.hidden, tensors.weight]
    .map(({ data, shape }) => Tensor.from(device, data as Float32Array<ArrayBuffer>, shape));
  const [rows, targets] = [tensors.rows.data, tensors.targets.data] as Int32Array[];
  const edges = { rows, targets, counts: tensors.counts.data as Float32Array };
  const logProbs = await linearLogProbs(hidden, weight, edges, { softCap: 2 }).data();
  const logits = softCap(matmul(hidden, weight, { transposeB: true }), 2);
  const all = await logits.logSoftmax().data();
  const expected = Array.from(rows, (row, edge) => all[row * weight.shape[0] + targets[edge]]);
  assertClose(logProbs, expected, { relative: 1e-5 });
});

for (const op of Object.keys(ops)) {
  onEveryDevice(`${op}: value and gradients as PyTorch's, the same bits twice`, async (device) => {
    for (const one of casesOf(op)) {
      const results = await ops[op](device, one);
      const expected = Object.keys(one.tensors).filter((name) => name in results);
      assertEquals(expected.sort(), Object.keys(results).sort(), one.name);
      const wanted = Object.keys(one.tensors).filter((name) => /^output$|[^t]Grad$/.test(name));
      for (const name of wanted) {
        if (name !== "outputGrad") assertEquals(name in results, true, `${one.name} lacks ${name}`);
      }
      for (const [name, values] of Object.entries(results)) {
        const tolerance = tolerances[op] ?? { relative: 2e-6 };
        assertClose(values, one.tensors[name].data, tolerance, `${one.name} ${name}`);
      }
      assertEquals(await ops[op](device, one), results, `${one.name}: bits differ`);
    }
  });
}

/** Hugging Face's names of a scaling. */
function scalingOf(json: Record<string, any>): RotaryScaling {
  const { rope_type: type, factor } = json;
  if (type === "linear") return { type, factor };
  return {
    type,
    factor,
    lowFrequencyFactor: json.low_freq_factor,
    highFrequencyFactor: json.high_freq_factor,
    originalContext: json.original_max_position_embeddings,
  };
}

/** An op on the tape, with the inputs that have gradients. */
function recorded(
  names: readonly string[],
  forward: (tensors: Record<string, Tensor>, golden: GoldenCase) => Tensor,
): OpTest {
  return (device, golden) => {
    const { tensors } = golden;
    const inputs = Object.fromEntries(
      names.filter((name) => name in tensors).map((name) => [name, tensors[name]]),
    );
    return differentiate(
      device,
      inputs,
      tensors.outputGrad.data,
      (parameters) => forward(parameters, golden),
    );
  };
}
