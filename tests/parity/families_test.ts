// Every family on random weights, at settings that are not the defaults, against transformers and PEFT; GGUF files written and
// read back; and the table of docs/families.md, which holds what these tests found.

import { assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  addLora,
  attendWithin,
  exportGguf,
  generate,
  loadLora,
  loadNetwork,
  logitsOf,
  type Network,
  quantize,
  saveNetwork,
} from "../../lib/model/mod.ts";
import { ggufPlace } from "../../lib/model/gguf_names.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { noGrad, scope } from "../../lib/tensor/mod.ts";
import { AdamW } from "../../lib/train/mod.ts";
import { openGguf, openSafetensors } from "../../lib/weights/mod.ts";
import { type Golden, type GoldenTensor, loadGolden } from "../golden/golden.ts";
import { lossWithGradients } from "../model/backward.ts";
import { forestOf, sequencesOf } from "../model/golden_batch.ts";
import { openWebGpu, webGpuNeed } from "../devices.ts";
import { assertClose, findPython } from "../support.ts";
import { askTransformers } from "./hugging_face.ts";

/** Models of families.py: their families, and why GGUF cannot hold one, if it cannot. */
const MODELS: Readonly<Record<string, { family: string; noGguf?: string }>> = {
  llama_yarn: { family: "Llama" },
  llama_dynamic: { family: "Llama", noGguf: "dynamic scaling of its positions" },
  mistral: { family: "Mistral" },
  gemma: { family: "Gemma" },
  gemma3: { family: "Gemma 3" },
  qwen2: { family: "Qwen 2" },
  qwen2_window: { family: "Qwen 2", noGguf: "a sliding window" },
  qwen3: { family: "Qwen 3" },
  qwen3_bias: { family: "Qwen 3", noGguf: "with biases" },
  phi3: { family: "Phi-3" },
  phi4: { family: "Phi-3" },
  smollm3: { family: "SmolLM3" },
  smollm3_window: { family: "SmolLM3", noGguf: "every fourth layer" },
  olmo2: { family: "OLMo 2" },
  granite: { family: "Granite" },
  gemma2: { family: "Gemma 2" },
  gemma2_own: { family: "Gemma 2", noGguf: "whose head is not its token embedding" },
  gpt_neox: { family: "GPT-NeoX" },
  gpt_neox_sequential: { family: "GPT-NeoX" },
  starcoder2: { family: "StarCoder2" },
  starcoder2_window: { family: "StarCoder2", noGguf: "a sliding window" },
};

const python = findPython("torch", "transformers", "peft", "gguf");

Deno.test({
  name: `every family computes what transformers computes${python.needs}`,
  ignore: !python.found,
  async fn(t) {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-families-" });
    const device = new CpuDevice({ threads: 1 });
    try {
      await python.run(fromFileUrl(import.meta.resolve("./families.py")), folder);
      const golden = loadGolden("families", folder);
      const results = new Map<string, boolean[]>();
      const written = new Map<string, { tensors: Record<string, string>; keys: string[] }>();
      const step = async (name: string, what: string, test: () => Promise<void>) => {
        const passed = await t.step(`${name}: ${what}`, test);
        results.set(name, [...results.get(name) ?? [], passed]);
      };
      const load = async (name: string) =>
        (await loadNetwork(`${folder}/${name}`, { device })).network;
      for (const name of Object.keys(MODELS)) {
        await step(name, "logits, loss, gradients, AdamW", async () => {
          await compareTraining(golden, name, await load(name));
        });
        await step(name, "greedy text", async () => {
          const cases = golden.cases(`${name}/generate`);
          const prompts = cases.map(({ tensors }) => [...tensors.prompt.data]);
          const given = await generate(await load(name), prompts, { maxNewTokens: 16 });
          const expected = cases.map(({ tensors }) => [...tensors.output.data]);
          assertEquals(given.map(({ tokens }) => tokens), expected);
        });
        await step(name, "LoRA as PEFT", async () => {
          const [{ tensors }] = golden.cases(`${name}/lora`);
          const model = await load(name);
          await loadLora(model, `${folder}/${name}/adapter`);
          const [{ tensors: batch }] = golden.cases("batch");
          using loss = lossWithGradients(model, forestOf(batch));
          assertClose([await loss.item()], tensors.loss.data, { relative: 1e-5 });
          for (const linear of model.linears.values()) {
            for (const [part, { grad }] of linear.adapter!.parameters) {
              const key = `grad/${model.prefix}${linear.name}.${part}`;
              assertClose(await grad!.data(), tensors[key].data, { relative: 1e-4 }, key);
            }
          }
        });
        await step(name, "QLoRA learns adapters beside packed weights", async () => {
          const model = await load(name);
          await quantize(model, "bf16");
          addLora(model, { rank: 2 });
          const [{ tensors: batch }] = golden.cases("batch");
          using loss = lossWithGradients(model, forestOf(batch));
          const [{ tensors }] = golden.cases(`${name}/train`);
          assertClose([await loss.item()], [tensors.losses.data[0]], { relative: 0.02 });
        });
        await step(name, "safetensors there and back", async () => {
          const model = await load(name);
          await saveNetwork(model, `${folder}/${name}/saved`);
          const again = await load(`${name}/saved`);
          assertEquals(again.toConfig(), model.toConfig());
          assertEquals([...again.parameters.keys()], [...model.parameters.keys()]);
          using mine = await openSafetensors(`${folder}/${name}/saved`);
          using theirs = await openSafetensors(`${folder}/${name}`);
          assertEquals([...mine.tensors.keys()].sort(), [...theirs.tensors.keys()].sort());
        });
        await step(name, "GGUF there and back", async () => {
          const model = await load(name);
          const path = `${folder}/${name}.gguf`;
          const { noGguf } = MODELS[name];
          if (noGguf !== undefined) {
            await assertRejects(() => exportGguf(model, path, { type: "F32" }), TypeError, noGguf);
            return;
          }
          await exportGguf(model, path, { type: "F32" });
          using file = await openGguf(path);
          const { tensors, keys } = written.get(model.architecture) ?? { tensors: {}, keys: [] };
          for (const parameter of model.parameters.keys()) {
            const head = parameter === model.family.head ? "" : model.prefix;
            const module = `${head}${parameter.replace(/\.(weight|bias)$/, "")}`;
            tensors[module] = ggufPlace(parameter, model).name.replace(/\.(weight|bias)$/, "");
          }
          // Those of Ollama's own engine are not PyPI's.
          const own = file.metadata.keys().filter((key) =>
            key.startsWith(`${model.architecture}.`) && !/\.rope\.(global|local)\./.test(key)
          );
          written.set(model.architecture, { tensors, keys: [...keys, ...own] });
          const { network: again } = await loadNetwork(path, { device });
          assertEquals(again.family.title, MODELS[name].family);
          // llama.cpp computes GELU by its approximation, which the file does not tell.
          const changed = name === "gpt_neox" ? { hidden_act: "gelu_new" } : {};
          assertEquals(describe(again), { ...describe(model), ...changed });
          for (const [parameter, tensor] of model.parameters) {
            const read = await again.parameters.get(parameter)!.data();
            const absolute = { relative: 0, absolute: 2e-7 }; // where 1 is added and taken away
            assertClose(read, await tensor.data(), absolute, parameter);
          }
        });
      }
      // The only family whose attention and loss are made of small operations.
      await t.step({
        name: `gemma2 on WebGPU: logits, loss, gradients, AdamW, greedy text${
          webGpuNeed ? `; ${webGpuNeed}` : ""
        }`,
        ignore: webGpuNeed !== undefined,
        async fn() {
          const gpu = await openWebGpu();
          for (const name of ["gemma2", "gemma2_own"]) {
            const load = async () =>
              (await loadNetwork(`${folder}/${name}`, { device: gpu })).network;
            await compareTraining(golden, name, await load());
            const cases = golden.cases(`${name}/generate`);
            const prompts = cases.map(({ tensors }) => [...tensors.prompt.data]);
            const given = await generate(await load(), prompts, { maxNewTokens: 16 });
            const expected = cases.map(({ tensors }) => [...tensors.output.data]);
            assertEquals(given.map(({ tokens }) => tokens), expected);
          }
          gpu.close();
        },
      });
      await t.step("GGUF files have the names of PyPI's gguf", async () => {
        const modules = Array.from(written, ([name, { tensors }]) => [name, Object.keys(tensors)]);
        const script = fromFileUrl(import.meta.resolve("./families_gguf.py"));
        const request = JSON.stringify(Object.fromEntries(modules));
        const theirs = JSON.parse(await python.run(script, request));
        for (const [name, { tensors, keys }] of written) {
          assertEquals(tensors, theirs[name].tensors, name);
          assertEquals(keys.filter((key) => !theirs[name].keys.includes(key)), [], name);
        }
      });
      await t.step("docs/families.md has the table of what was found", async () => {
        const page = await Deno.readTextFile(new URL("../../docs/families.md", import.meta.url));
        const rows = page.split("\n").filter((line) => line.startsWith("| `"));
        assertEquals(rows, Array.from(results, ([name, passed]) => rowOf(name, passed)));
      });
      await t.step("transformers reads every one as it is saved", async () => {
        const names = Object.keys(MODELS);
        const [{ tensors: { tokens }, attributes: { lengths } }] = golden.cases("batch");
        // Padded as in the batch, whose length decides some models' angles.
        const long = [...tokens.data.subarray(0, tokens.shape[1])];
        const answers = await askTransformers(names.map((name) => {
          const [{ tensors: { prompt } }] = golden.cases(`${name}/generate`);
          const model = `${folder}/${name}/saved`;
          return { model, long, rows: long.length, prompt: [...prompt.data], newTokens: 16 };
        }));
        for (const [i, name] of names.entries()) {
          const [{ tensors: { logits }, attributes: { kind } }] = golden.cases(`${name}/forward`);
          assertEquals(answers[i].kind, kind, name);
          const counted = lengths[0] * logits.shape.at(-1)!;
          const [actual, expected] = [answers[i].logits, logits.data];
          assertClose(actual.subarray(0, counted), expected.subarray(0, counted), {
            relative: 2e-5,
          }, name);
        }
      });
    } finally {
      device.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** A row of docs/families.md: a model, and what of it was compared. */
function rowOf(name: string, passed: readonly boolean[]): string {
  const { family, noGguf } = MODELS[name];
  const cells: string[] = passed.map((ok) => ok ? "yes" : "no");
  if (noGguf !== undefined && passed.at(-1)) cells[cells.length - 1] = `refused: ${noGguf}`;
  return `| ${[`\`${name}\``, family, ...cells].join(" | ")} |`;
}

/** Logits, loss and gradients in padded and forest batches, and the weights after three steps. */
async function compareTraining(golden: Golden, name: string, model: Network): Promise<void> {
  const [{ tensors: batch, attributes: { lengths } }] = golden.cases("batch");
  const padded = sequencesOf(batch, lengths);
  const { tokens, positions, end } = padded;
  using logits = scope(() =>
    noGrad(() => {
      const attend = attendWithin({ end, positions });
      return logitsOf(model, model.hidden({ tokens, positions, attend }));
    })
  );
  const actual = await logits.data();
  const expected = golden.cases(`${name}/forward`)[0].tensors.logits.data as Float32Array;
  const [, length] = batch.tokens.shape;
  for (const [row, count] of (lengths as number[]).entries()) {
    const first = row * length * model.vocabularySize;
    const last = first + count * model.vocabularySize;
    const slice = [actual.subarray(first, last), expected.subarray(first, last)] as const;
    assertClose(...slice, { relative: 2e-5 }, `logits of row ${row}`);
  }
  const [{ tensors, attributes }] = golden.cases(`${name}/train`);
  const { lr, beta1, beta2, eps, weightDecay } = attributes;
  const forest = forestOf(batch);
  for (const [batch, recompute] of [[padded, false], [forest, true], [forest, false]] as const) {
    for (const parameter of model.parameters.values()) {
      parameter.grad?.dispose();
      parameter.grad = undefined;
    }
    using loss = lossWithGradients(model, batch, { recompute });
    assertClose([await loss.item()], [tensors.losses.data[0]], { relative: 1e-5 }, "loss");
    for (const [parameter, { grad }] of model.parameters) {
      const right = expectedOf(tensors, "grad", model, parameter);
      // A key's bias moves all of a query's scores alike: its gradient is 0, and rounding is left.
      assertClose(await grad!.data(), right, { relative: 1e-4, absolute: 1e-6 }, parameter);
    }
  }
  using optimizer = new AdamW(model.parameters, { beta1, beta2, epsilon: eps, weightDecay });
  optimizer.step(lr);
  for (const expected of tensors.losses.data.subarray(1)) {
    using loss = lossWithGradients(model, forest);
    assertClose([await loss.item()], [expected], { relative: 1e-5 }, "a later loss");
    optimizer.step(lr);
  }
  for (const [parameter, tensor] of model.parameters) {
    const right = expectedOf(tensors, "weight", model, parameter);
    const isRounding = /(k_proj|query_key_value)\.bias$/.test(parameter);
    const tolerance = isRounding ? { absolute: 7 * lr } : { relative: 1e-4 };
    assertClose(await tensor.data(), right, tolerance, parameter);
  }
}

function expectedOf(
  tensors: Readonly<Record<string, GoldenTensor>>,
  kind: "grad" | "weight",
  { family, prefix }: Network,
  parameter: string,
): Float32Array {
  // In memory transformers calls every head so.
  const name = parameter === family.head ? "lm_head.weight" : `${prefix}${parameter}`;
  return tensors[`${kind}/${name}`].data as Float32Array;
}

/** A configuration but for the tokens' meanings, which these files have not. */
function describe(model: Network): Record<string, unknown> {
  const entries = Object.entries(model.toConfig());
  return Object.fromEntries(entries.filter(([key]) => !/token_id$/.test(key)));
}
