// Commands say which style of conversations a model's tokens suggest, and refuse a loss that is not a number.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Gpt2, saveNetwork } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { byteLevelTokenizers, writtenFiles } from "../text/small_tokenizers.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { tunebook } from "./tunebook.ts";

const CHAT = { messages: [{ role: "user", content: "Hi" }, { role: "assistant", content: "Ho" }] };

Deno.test("tunebook loss says which style special tokens suggest, and refuses a loss that is not a number", async () => {
  using temporary = new TemporaryDirectory();
  const [small] = byteLevelTokenizers();
  const rows = small!.tokens.length;
  const marks = ["<|im_start|>", "<|im_end|>"].map((content, i) => ({
    ...{ id: rows + i, content, special: true },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  const { json } = writtenFiles({ ...small!, addedTokens: [], beginIds: [] });
  const device = new CpuDevice({ threads: 1, blas: false });
  const size = { vocabularySize: rows + 2, contextLength: 64, width: 4, layers: 1, heads: 1 };
  await saveNetwork(Gpt2.create(device, size), temporary.path);
  device.close();
  const write = (name: string, content: unknown) =>
    Deno.writeTextFile(temporary.file(name), JSON.stringify(content));
  await write("tokenizer.json", { ...json, added_tokens: marks });
  await write("tokenizer_config.json", { eos_token: "<|im_end|>" });
  await write("chat.json", [CHAT]);
  const measured = ["loss", "--model", temporary.path, "--data", temporary.file("chat.json")];

  const guessed = await tunebook(measured);
  assertEquals(guessed.code, 0, guessed.stderr);
  assertStringIncludes(
    guessed.stderr,
    'came without a chat template; messages are written in the style "chatml", which its special tokens suggest',
  );
  const named = await tunebook([...measured, "--format", "chatml"]);
  assertEquals([named.stdout, named.code], [guessed.stdout, 0]);
  assertEquals(named.stderr.includes("came without"), false);

  const weights = join(temporary.path, "model.safetensors");
  const bytes = await Deno.readFile(weights);
  new DataView(bytes.buffer).setFloat32(bytes.length - 4, NaN, true);
  await Deno.writeFile(weights, bytes);
  const broken = await tunebook([...measured, "--json"]);
  assertEquals([broken.stdout, broken.code], ["", 1]);
  assertStringIncludes(broken.stderr, "it is not a number, as with weights that hold NaN");
});
