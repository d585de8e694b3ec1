/**
 * A network that rank 0 gives to other ranks: its configuration, weights and adapters.
 *
 * @module
 */

import { planModel } from "../model/architectures.ts";
import { attachLora, LoraAdapter, type LoraSettings } from "../model/lora.ts";
import { configOf } from "../model/replaced_weights.ts";
import type { Network } from "../model/mod.ts";
import type { Communicator } from "../mpi/mod.ts";
import { type Device, type Dtype, Tensor } from "../tensor/mod.ts";

/** A tensor without its values. */
interface TensorOutline {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly learns: boolean;
}

/** A network without the values of its tensors, as JSON. */
export interface NetworkOutline {
  readonly config: Record<string, unknown>;
  readonly parameters: readonly TensorOutline[];
  readonly adapters: readonly {
    readonly linear: string;
    readonly settings: LoraSettings;
    readonly tensors: readonly TensorOutline[];
  }[];
}

/** Where configurations come from, for messages. */
const ORIGIN = "rank 0's model";

/**
 * Outlines a network for other ranks.
 *
 * @param network The network.
 * @returns All but the values of its tensors.
 * @throws {TypeError} If the others could not make the same: its class or that of an adapter is not the library's, or it
 * has two kinds of dropout.
 */
export function outlineNetwork(network: Network): NetworkOutline {
  const config = configOf(network);
  const cannot = "Cannot share a training with other ranks";
  const { attn_pdrop: inAttention, embd_pdrop: elsewhere } = config;
  if (inAttention !== elsewhere) {
    throw new TypeError(
      `${cannot}: the model's attention has the dropout ${inAttention}; expected that of other layers, ${elsewhere}`,
    );
  }
  const outline = {
    config,
    parameters: Array.from(network.parameters, outlineTensor),
    adapters: [...network.linears.values()].flatMap(({ name: linear, adapter }) => {
      if (!adapter) return [];
      if (!(adapter instanceof LoraAdapter)) {
        throw new TypeError(
          `${cannot}: the adapter of "${linear}" is a ${adapter.constructor.name}; expected one of addLora()`,
        );
      }
      const { settings, parameters } = adapter;
      return [{ linear, settings, tensors: Array.from(parameters, outlineTensor) }];
    }),
  };
  // A second network of the same tensors takes no memory, but makes all of them learn.
  const copy = buildNetwork(outline, network.parameters);
  for (const { name, learns } of outline.parameters) {
    network.parameters.get(name)!.requiresGrad = learns;
  }
  if (copy.constructor !== network.constructor) {
    throw new TypeError(
      `${cannot}: the model is a ${network.constructor.name}; expected a ${copy.constructor.name}, which they can make`,
    );
  }
  return outline;
}

function outlineTensor([name, tensor]: readonly [string, Tensor]): TensorOutline {
  const { shape, dtype, requiresGrad: learns } = tensor;
  return { name, shape, dtype, learns };
}

function buildNetwork(
  { config }: NetworkOutline,
  parameters: ReadonlyMap<string, Tensor>,
): Network {
  return planModel(config, ORIGIN, Number(config.embd_pdrop ?? 0)).build(parameters);
}

/**
 * Sends the values of a network's tensors to the other ranks, which call {@linkcode receiveNetwork}.
 *
 * @param communicator The ranks.
 * @param network The network of this rank, which is 0.
 */
export async function sendNetwork(communicator: Communicator, network: Network): Promise<void> {
  const adapters = [...network.linears.values()].flatMap(({ adapter }) =>
    adapter ? [...adapter.parameters.values()] : []
  );
  for (const tensor of [...network.parameters.values(), ...adapters]) {
    const bytes = await tensor.device.read(tensor.buffer, 0, floatsOf(tensor) * 4);
    await communicator.broadcast(new Float32Array(bytes));
  }
}

/**
 * Makes the network that rank 0 sends.
 *
 * @param communicator The ranks.
 * @param outline The network without its values.
 * @param device The device that stores it.
 * @returns The network.
 */
export async function receiveNetwork(
  communicator: Communicator,
  outline: NetworkOutline,
  device: Device,
): Promise<Network> {
  const receive = async ({ shape, dtype }: TensorOutline) => {
    const tensor = Tensor.empty(device, shape, dtype).keep();
    const values = new Float32Array(floatsOf(tensor));
    await communicator.broadcast(values);
    device.write(tensor.buffer, values);
    return tensor;
  };
  const parameters = new Map<string, Tensor>();
  for (const each of outline.parameters) parameters.set(each.name, await receive(each));
  const network = buildNetwork(outline, parameters);
  for (const { name, learns } of outline.parameters) parameters.get(name)!.requiresGrad = learns;
  for (const { linear, settings, tensors } of outline.adapters) {
    const [a, b] = [await receive(tensors[0]), await receive(tensors[1])];
    attachLora(network, network.linears.get(linear)!, settings, a, b);
    for (const [at, { learns }] of tensors.entries()) [a, b][at].requiresGrad = learns;
  }
  return network;
}

/** The floats that hold a tensor's bytes, packed or not. */
function floatsOf({ byteLength }: Tensor): number {
  return Math.ceil(byteLength / 4);
}
