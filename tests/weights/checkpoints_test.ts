// Checkpoints in the forms that people bring, beside the programs that made them: every value is theirs.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { loadLora, loadNetwork } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { dequantize } from "../../lib/tensor/mod.ts";
import { openSafetensors, writeSafetensors } from "../../lib/weights/mod.ts";
import { openWeights } from "../../lib/weights/open.ts";
import { widenQuantized } from "../../lib/weights/quantized/mod.ts";
import { assertClose, findPython } from "../support.ts";

const python = findPython("torch", "bitsandbytes", "safetensors");

Deno.test({
  name:
    `weights of bitsandbytes, FP8 and PyTorch's files are read as these programs read them${python.needs}`,
  ignore: !python.found,
  async fn(t) {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-checkpoints-" });
    const device = new CpuDevice({ threads: 1, blas: false });
    try {
      await python.run(fromFileUrl(import.meta.resolve("./checkpoints.py")), folder);
      const names = Array.from(Deno.readDirSync(folder)).filter(({ isDirectory, name }) =>
        isDirectory && name !== "adapters"
      ).map(({ name }) => name).sort();
      assertEquals(names.length, 12);
      for (const name of names) {
        await t.step(name, async () => {
          const { network } = await loadNetwork(join(folder, name), { device });
          using expected = await openSafetensors(join(folder, `${name}.safetensors`));
          assertEquals(network.parameters.size, expected.tensors.size);
          for (const [parameter, tensor] of network.parameters) {
            const own = parameter === "lm_head.weight" ? parameter : `model.${parameter}`;
            assertEquals(await tensor.data(), await expected.read(own), parameter);
          }
        });
      }
      await t.step("NF4 stays packed where that is asked for", async () => {
        for (const name of ["nf4", "nf4_double"]) {
          const path = join(folder, name);
          const { network } = await loadNetwork(path, { device, quantize: "stored" });
          const weight = network.linears.get("layers.0.mlp.down_proj")!.weight;
          assertEquals(weight.dtype, "nf4");
          using expected = await openSafetensors(join(folder, `${name}.safetensors`));
          using wide = dequantize(weight);
          const theirs = await expected.read("model.layers.0.mlp.down_proj.weight");
          assertClose(await wide.data(), theirs, { relative: 2 ** -8 }); // which are rounded
        }
      });
      await t.step("an adapter in PEFT's older file", async () => {
        const found = [];
        for (const name of ["adapter", "adapter_bin"]) {
          const { network } = await loadNetwork(join(folder, "bin"), { device });
          await loadLora(network, join(folder, "adapters", name));
          const { adapter } = network.linears.get("layers.0.self_attn.q_proj")!;
          found.push(
            await Promise.all([...adapter!.parameters.values()].map((part) => part.data())),
          );
        }
        assertEquals(found[1], found[0]);
        assert(found[0].every((part) => part.some((value) => value !== 0)));
      });
      await t.step("rows", async () => {
        for (const name of ["bin", "fp8_block", "nf4_double"]) {
          const config = JSON.parse(await Deno.readTextFile(join(folder, name, "config.json")));
          using file = await widenQuantized(await openWeights(join(folder, name)), config);
          using expected = await openSafetensors(join(folder, `${name}.safetensors`));
          const rows: [number, number] = [3, 9];
          for (const part of ["q", "k"]) {
            const tensor = `model.layers.0.self_attn.${part}_proj.weight`;
            assertEquals(await file.read(tensor, { rows }), await expected.read(tensor, { rows }));
          }
        }
      });
      await t.step("what is lacking is named", async () => {
        const config = JSON.parse(await Deno.readTextFile(join(folder, "fp8_row", "config.json")));
        const refused = async (
          name: string,
          change: (name: string) => boolean,
          message: string,
          quantization: unknown = config.quantization_config,
        ) => {
          using file = await openSafetensors(join(folder, name));
          const tensors = await Promise.all(
            [...file.tensors].filter(([name]) => change(name)).map(async ([name, { shape }]) => ({
              ...{ name, shape },
              data: await file.read(name).catch(() =>
                new Float32Array(shape.reduce((a, b) => a * b, 1))
              ),
            })),
          );
          const path = join(folder, "damaged.safetensors");
          await writeSafetensors(path, tensors);
          using damaged = await openSafetensors(path);
          // Types are kept, which writing has not.
          const kept = new Map(
            [...damaged.tensors].map(([name, info]) =>
              [name, { ...info, dtype: file.info(name).dtype }] as const
            ),
          );
          const readBytes = (name: string) => file.readBytes(name);
          const view = {
            ...{ path, tensors: kept, info: (name: string) => kept.get(name)!, readBytes },
            ...{ read: (name: string) => damaged.read(name), close() {}, [Symbol.dispose]() {} },
          };
          await assertRejects(
            () => widenQuantized(view, { quantization_config: quantization }),
            TypeError,
            message,
          );
        };
        await refused(
          "fp8_row",
          (name) => !name.endsWith("weight_scale"),
          'has no "weight_scale_inv',
        );
        await refused("nf4", (name) => !name.endsWith(".absmax"), 'it lacks "absmax"');
        await refused("nf4", () => true, 'it is quantised with "gptq"', { quant_method: "gptq" });
      });
    } finally {
      device.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("pickles that hold more than tensors are refused by name, and nothing is called", async () => {
  const path = await Deno.makeTempFile({ suffix: ".bin" });
  const MAGIC = "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.";
  const refused: [pickle: string, message: string][] = [
    ["cos\nsystem\n(X\x02\0\0\0lstR.", 'a call of "os.system"'],
    ["c__builtin__\neval\n(X\x01\0\0\x001tR.", 'a call of "__builtin__.eval"'],
    ["cos\nsystem\n(X\x09\0\0\0l", "its end within a value"],
    ["}X\x01\0\0\0acos\nsystem\n)\x81s.", "the operation NEWOBJ"],
    ["(ios\nsystem\n.", "the operation INST"],
    ["}X\x01\0\0\0a}s.", 'a dictionary as "a"'],
    ["}X\x01\0\0\0aK\x01s.", 'another value as "a"'],
    ["]K\x01a.", "another value"],
    ["h\x05.", "a value that it does not hold"],
  ];
  for (const [pickle, message] of refused) {
    const bytes = Uint8Array.from(MAGIC + "\x80\x02" + pickle, (c) => c.charCodeAt(0));
    await Deno.writeFile(path, bytes);
    const error = await assertRejects(() => openWeights(path), SyntaxError);
    assert(error.message.includes(message), error.message);
  }
  await Deno.remove(path);
});
