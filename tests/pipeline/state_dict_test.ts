// PyTorch reads what is written, in transformers' classes and in the book's; what PyTorch writes is read.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { Gpt2, saveNetwork } from "../../lib/model/mod.ts";
import { loadModel } from "../../lib/pipeline/mod.ts";
import { logitsOfAll, proveModel, proveStateDict } from "../../lib/pipeline/proof.ts";
import { checkpointName, stateDictOf } from "../../lib/pipeline/state_dict.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { Tensor } from "../../lib/tensor/mod.ts";
import { readStateDict } from "../../lib/weights/mod.ts";
import { assertClose, findPython } from "../support.ts";
import { loadNano } from "./nano.ts";

const python = findPython("torch", "transformers");
const SCRIPT = fromFileUrl(new URL("state_dict.py", import.meta.url));

Deno.test({
  name: `a state dict gives PyTorch's classes the model's logits${python.needs}`,
  ignore: !python.found,
  async fn() {
    const folder = await Deno.makeTempDir();
    const device = new CpuDevice({ threads: 1, blas: false });
    const config = { vocabularySize: 50257, contextLength: 32, width: 24, layers: 2, heads: 3 };
    const network = Gpt2.create(device, config, { seed: 4 });
    // Norms and biases that are not 1 and 0, so that none can be mistaken for another.
    let seed = 0;
    for (const [name, { shape, size }] of network.parameters) {
      if (shape.length > 1) continue;
      const data = Float32Array.from({ length: size }, (_, i) => Math.sin(i + 7 * ++seed) / 5 + 1);
      network.parameters.set(name, Tensor.from(device, data).keep());
    }
    await saveNetwork(network, join(folder, "tiny"));
    const model = await loadModel(join(folder, "tiny"), { device });
    const tokens = [[5, 9, 500, 50256, 17, 2]];
    const expected = await logitsOfAll(model.network, tokens);
    const files: string[] = [];
    for (const names of ["transformers", "llms-from-scratch"] as const) {
      const path = join(folder, `${names}.pth`);
      files.push(path);
      const { proof } = await model.export(path, { names });
      assertEquals([proof!.compared, proof!.difference], ["weights", 0]);
    }
    const out = await python.run(SCRIPT, join(folder, "tiny"), JSON.stringify(tokens[0]), ...files);
    for (const { logits, scripted, again } of JSON.parse(out)) {
      assertClose(logits, expected, { absolute: 1e-5 }, again);
      assertClose(scripted, expected, { absolute: 1e-5 }, "TorchScript, traced with two tokens");
      // As torch.save() writes them again; in the book's file the first entry has a name of 30 characters.
      let count = 0;
      for await (const { name, data } of readStateDict(again)) {
        const tensor = network.parameters.get(name.replace("transformer.", ""));
        if (tensor) assertEquals(data, await tensor.data(), name);
        count++;
      }
      assert(count > 20);
    }
    model[Symbol.dispose]();
    device.close();
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("an export that is not the model is not called good", async () => {
  const folder = await Deno.makeTempDir();
  const model = await loadNano();
  const { network, tokenizer, source, format } = model;
  const path = join(folder, "nano.pth");
  await model.export(path, { type: "BF16" });
  const entries = stateDictOf(network, "transformers", "BF16");
  const [first, ...others] = entries;
  const embedding = network.parameters.get("wte.weight")!;
  const scaled = async () => (await embedding.data()).map((x) => x * 1.01);
  await assertRejects(
    () =>
      proveStateDict(
        [{ ...first, data: scaled }, ...others],
        path,
        "BF16",
      ),
    Error,
    `Cannot call the export to "${path}" good: "transformer.wte.weight" differs by`,
  );
  await assertRejects(
    () => proveStateDict([...entries, { ...first, name: "more", aliases: [] }], path, "BF16"),
    Error,
    'it has no "more"',
  );

  const saved = join(folder, "saved");
  const { proof } = await model.export(saved, { type: "F16" });
  assert(proof!.compared === "logits" && proof!.difference < 1e-2);
  const right = network.parameters.get("ln_f.bias")!;
  const other = (await right.data()).map((x) => x + 0.5);
  network.parameters.set("ln_f.bias", Tensor.from(model.device, other));
  const { message } = await assertRejects(
    () => proveModel({ network, tokenizer, source, format }, saved, "F16"),
    Error,
  );
  assertStringIncludes(message, "its logits differ by");
  network.parameters.set("ln_f.bias", right);
  const shouted = {
    name: "shouted",
    instruction: ({ instruction }: { instruction: string }) => instruction.toUpperCase(),
    responseMarker: "\n",
  };
  await assertRejects(
    () => proveModel({ network, tokenizer, source, format: shouted }, saved, "F16"),
    Error,
    'the prompt of "Name a fruit." is "Below is an instruction',
  );
  model[Symbol.dispose]();
  model.device.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a checkpoint is named as chapter 7 names it", () => {
  assertEquals(
    ["hf:openai-community/gpt2-medium", "gpt2", "models/mine/", "hf:a/b@main"].map(checkpointName),
    ["gpt2-medium355M-sft.pth", "gpt2-small124M-sft.pth", "mine-sft.pth", "b-sft.pth"],
  );
});

Deno.test("what is not a state dict is refused, and nothing in it is called", async () => {
  const path = await Deno.makeTempFile({ suffix: ".pth" });
  const read = () => Array.fromAsync(readStateDict(path));
  await Deno.writeTextFile(path, "not a zip");
  await assertRejects(read, SyntaxError, "it is not a zip file");
  const { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } = await import("@zip.js/zip.js");
  const pickles = [
    "cos\nsystem\n(X\x02\0\0\0lstR.", // os.system("ls")
    "cbuiltins\neval\n(X\x01\0\0\x001tR.",
    "}X\x01\0\0\0aK\x01s.", // {"a": 1}
    "\x80\x02K\x01.",
  ];
  for (const pickle of pickles) {
    const zip = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, level: 0 });
    const bytes = Uint8Array.from(pickle, (character) => character.charCodeAt(0));
    await zip.add("archive/data.pkl", new Uint8ArrayReader(bytes));
    await Deno.writeFile(path, await zip.close());
    await assertRejects(read, SyntaxError, "expected a dictionary of tensors, found");
  }
  await Deno.remove(path);
});
