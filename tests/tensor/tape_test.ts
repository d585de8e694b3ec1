// The tape: gradients of whole expressions, of tensors used several times, and the memory that they take.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  add,
  attention,
  backward,
  gelu,
  layerNorm,
  linearCrossEntropy,
  matmul,
  noGrad,
  scale,
  scope,
  split,
  Tensor,
} from "../../lib/tensor/mod.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { assertClose } from "../support.ts";
import {
  type ArrayLike,
  differentiate,
  lossWithGradient,
  numbers,
  parameter,
} from "./gradients.ts";

onEveryDevice("backward() adds up the gradients of a tensor used twice", async (device) => {
  const x = numbers([3, 4]);
  const upstream = numbers([3, 4], 5);
  const twice = await differentiate(device, { x }, upstream.data, ({ x }) => add(x, x));
  assertEquals(twice.xGrad, upstream.data.map((value) => 2 * value));
  // x + 3 x + 5 (x + x): through intermediate results that are themselves used twice.
  const more = await differentiate(device, { x }, upstream.data, ({ x }) => {
    const sum = add(x, x);
    return add(add(x, scale(x, 3)), scale(add(sum, scale(sum, 1.5)), 2));
  });
  assertClose(more.xGrad, upstream.data.map((value) => 14 * value), { relative: 1e-6 });
});

onEveryDevice("backward() does not let one input's sum leak into another's", async (device) => {
  // Both addends get the same gradient, and one of them then gets more.
  const a = numbers([5], 1);
  const b = numbers([5], 2);
  const upstream = numbers([5], 3);
  const { aGrad, bGrad } = await differentiate(
    device,
    { a, b },
    upstream.data,
    ({ a, b }) => add(add(a, b), scale(a, 10)),
  );
  assertClose(aGrad, upstream.data.map((value) => 11 * value), { relative: 1e-6 });
  assertEquals(bGrad, upstream.data);
});

onEveryDevice("backward() accumulates over calls", async (device) => {
  const x = parameter(device, numbers([4]));
  const upstream = numbers([4], 2);
  for (let call = 0; call < 3; call++) {
    scope(() => backward(lossWithGradient(scale(x, 2), upstream.data)));
  }
  assertClose(await x.grad!.data(), upstream.data.map((value) => 6 * value), { relative: 1e-6 });
});

onEveryDevice("backward() refuses what it cannot differentiate", (device) => {
  const x = parameter(device, numbers([4]));
  assertThrows(() => backward(x), TypeError, "expected one element");
  const constant = Tensor.from(device, [1], []);
  assertThrows(() => backward(scale(constant, 2)), TypeError, "depends on no parameter");
  const unrecorded = noGrad(() => lossWithGradient(x, new Float32Array(4)));
  assertThrows(() => backward(unrecorded), TypeError, "depends on no parameter");
  return Promise.resolve();
});

onEveryDevice("scope() disposes of all but what it returns", async (device) => {
  let inner!: Tensor;
  const kept = scope(() => {
    inner = Tensor.from(device, [1, 2]);
    const { alone } = scope(() => ({ alone: scale(inner, 3) }));
    return [scale(alone, 2)];
  });
  assert(inner.disposed);
  assertEquals(await kept[0].data(), Float32Array.of(6, 12));
  assertThrows(() => scale(inner, 1), TypeError, "it is disposed");
  await using disposal = new AsyncDisposableStack();
  disposal.use(kept[0]);
});

onEveryDevice("backward() frees intermediate results as it goes", async (device) => {
  const x = parameter(device, numbers([4]));
  const made: Tensor[] = [];
  scope(() => {
    let y: Tensor = x;
    for (let i = 0; i < 5; i++) made.push(y = gelu(y));
    const loss = lossWithGradient(y, numbers([4], 2).data);
    backward(loss);
    assert(made.every((tensor) => tensor.disposed), "some results outlive backward()");
  });
  assertEquals((await x.grad!.data()).length, 4);
});

onEveryDevice("a training step allocates nothing new once warm", async (device) => {
  const parameters = networkParameters(device);
  const step = async () => {
    const loss = scope(() => {
      const loss = network(parameters);
      backward(loss);
      return loss;
    });
    await loss.data();
    loss.dispose();
    for (const tensor of Object.values(parameters)) {
      tensor.grad?.dispose();
      tensor.grad = undefined;
    }
  };
  for (let warm = 0; warm < 3; warm++) await step();
  const before = device.allocatedBytes;
  for (let i = 0; i < 5; i++) await step();
  assertEquals(device.allocatedBytes, before);
});

onEveryDevice("gradients equal finite differences", async (device) => {
  const values = networkValues();
  const lossOf = async (changed: Record<string, ArrayLike>) => {
    const tensors = Object.entries(changed).map(([name, { data, shape }]) =>
      [name, Tensor.from(device, data, shape)] as const
    );
    const loss = scope(() => network(Object.fromEntries(tensors)));
    const value = await loss.item();
    for (const [, tensor] of tensors) tensor.dispose();
    loss.dispose();
    return value;
  };
  const parameters = networkParameters(device);
  scope(() => backward(network(parameters)));
  for (const [name, { data, shape }] of Object.entries(values)) {
    const gradient = await parameters[name].grad!.data();
    // Along a direction: one difference tests every element of a gradient.
    const direction = numbers(shape, 77).data;
    const slope = gradient.reduce((sum, value, i) => sum + value * direction[i], 0);
    const step = 1e-2;
    const moved = (sign: number) => ({
      ...values,
      [name]: { shape, data: data.map((value, i) => value + sign * step * direction[i]) },
    });
    const difference = (await lossOf(moved(1)) - await lossOf(moved(-1))) / (2 * step);
    assertClose([slope], [difference], { relative: 2e-2, absolute: 2e-4 }, name);
  }
});

/** Parameters of a small network of every layer that a transformer has. */
function networkValues(): Record<string, ArrayLike & { data: Float32Array }> {
  return {
    x: numbers([6, 8], 1),
    gain: numbers([8], 2),
    offset: numbers([8], 3),
    qkv: numbers([8, 24], 4),
    bias: numbers([24], 5),
    up: numbers([8, 8], 6),
    head: numbers([11, 8], 7),
  };
}

function networkParameters(device: Device): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(networkValues()).map(([name, value]) => [name, parameter(device, value)]),
  );
}

function network({ x, gain, offset, qkv, bias, up, head }: Record<string, Tensor>): Tensor {
  const normal = layerNorm(x, gain, offset);
  const [q, k, v] = split(matmul(normal, qkv, { bias }), [8, 8, 8]);
  const forest = {
    end: Int32Array.of(6, 6, 4, 4, 6, 6),
    positions: Int32Array.of(0, 1, 2, 3, 2, 3),
  };
  const attended = add(x, attention(q, k, v, { heads: 2, forest }));
  const hidden = add(attended, gelu(matmul(attended, up, { transposeB: true })));
  return linearCrossEntropy(hidden, head, {
    rows: Int32Array.of(1, 2, 2, 5),
    targets: Int32Array.of(3, 0, 10, 4),
    counts: Float32Array.of(1, 2, 1, 1),
  });
}

onEveryDevice(
  "gradients of a layer normalisation do not depend on which are wanted",
  async (device) => {
    const names = ["x", "gain", "offset"] as const;
    const gradientsOf = async (wanted: readonly string[]) => {
      const [x, gain, offset] = [[9, 70], [70], [70]].map((shape, i) =>
        parameter(device, numbers(shape, i))
      );
      const tensors = { x, gain, offset };
      for (const name of names) tensors[name].requiresGrad = wanted.includes(name);
      const { data } = numbers([9, 70], 9);
      backward(layerNorm(x, gain, offset).mul(Tensor.from(device, data, [9, 70])).sum());
      return await Promise.all(names.map((name) => tensors[name].grad?.data()));
    };
    const all = await gradientsOf(names);
    for (const wanted of [["x"], ["gain"], ["offset"], ["gain", "offset"], ["x", "offset"]]) {
      const expected = names.map((name, i) => wanted.includes(name) ? all[i] : undefined);
      assertEquals(await gradientsOf(wanted), expected, wanted.join());
    }
  },
);
