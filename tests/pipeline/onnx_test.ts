// A model's folder for onnxruntime: what is in it, what is refused, and that another model is not called good.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { Gpt2, saveNetwork } from "../../lib/model/mod.ts";
import { loadModel } from "../../lib/pipeline/mod.ts";
import { proveOnnx } from "../../lib/pipeline/proof.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { Tensor } from "../../lib/tensor/mod.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

Deno.test("an adapted model is merged into a folder for onnxruntime, and read back", async () => {
  using temporary = new TemporaryDirectory();
  const path = (name: string) => join(temporary.path, name);
  const device = new CpuDevice({ threads: 1, blas: false });
  const shape = { vocabularySize: 50257, contextLength: 64, width: 8, layers: 2, heads: 2 };
  await saveNetwork(Gpt2.create(device, shape, { seed: 4 }), path("tiny"));
  const model = await loadModel(path("tiny"), { device, lora: { rank: 2 } });
  for (const { adapter } of model.network.linears.values()) {
    const { buffer, size } = adapter!.parameters.get("lora_B.weight")!;
    device.write(buffer, Float32Array.from({ length: size }, (_, i) => Math.sin(i)));
  }

  const refused: [string, object, string][] = [
    ["onnx:", {}, '"onnx:FOLDER"'],
    [`onnx:${path("out")}`, {}, 'give "merge: true"'],
    [`onnx:${path("out")}`, { merge: true, type: "BF16" }, 'weights in ONNX are "F32" or "F16"'],
  ];
  for (const [target, options, message] of refused) {
    await assertRejects(() => model.export(target, options), TypeError, message);
  }
  await assertRejects(
    () => model.export(`onnx:${path("tiny")}`, { merge: true, overwrite: true }),
    Deno.errors.AlreadyExists,
    'it holds "model.safetensors"; give a folder of its own',
  );

  const { bytes, proof } = await model.export(`onnx:${path("out")}`, { merge: true });
  const files = [...Deno.readDirSync(path("out"))].map(({ name }) => name).sort();
  assertEquals(files.filter((name) => /^(config|model|tokenizer\.)/.test(name)), [
    "config.json",
    "model.onnx",
    "tokenizer.json",
  ]);
  assertEquals(bytes, (await Deno.stat(path("out/model.onnx"))).size);
  assert(proof!.compared === "weights" ? proof!.difference === 0 : proof!.difference < 1e-4);

  // Another model in memory than in the file.
  const { network, tokenizer, source, format } = model;
  const proving = { network, tokenizer, source, format };
  const bias = await network.parameters.get("ln_f.bias")!.data();
  network.parameters.set("ln_f.bias", Tensor.from(device, bias.map((x) => x + 0.5)).keep());
  await assertRejects(
    () => proveOnnx(proving, path("out/model.onnx"), "F32"),
    Error,
    '"transformer.ln_f.bias" differs by',
  );
  model[Symbol.dispose]();
  device.close();
});
