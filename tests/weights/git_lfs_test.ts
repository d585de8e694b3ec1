// What Git LFS leaves in the place of a file that it has not fetched is named, whatever the file was to be.

import { assertRejects } from "@std/assert";
import { openTokenizer } from "../../lib/text/mod.ts";
import { openGguf, resolveModel } from "../../lib/weights/mod.ts";
import { openWeights } from "../../lib/weights/open.ts";
import { TemporaryDirectory } from "./temporary.ts";

const POINTER = "version https://git-lfs.github.com/spec/v1\n" +
  "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

Deno.test("files that Git LFS has not fetched are named", async () => {
  using folder = new TemporaryDirectory();
  const refused = async (name: string, open: () => Promise<unknown>) => {
    await Deno.writeTextFile(folder.file(name), POINTER);
    const expected = `Cannot read "${folder.file(name)}": it is a pointer of Git LFS, not the file`;
    await assertRejects(open, SyntaxError, expected);
  };
  for (const name of ["model.safetensors", "pytorch_model.bin"]) {
    await refused(name, () => openWeights(folder.file(name)));
  }
  await refused("model.gguf", () => openGguf(folder.file("model.gguf")));
  await Deno.writeTextFile(folder.file("config.json"), '{"model_type": "llama"}');
  for (const name of ["tokenizer.model", "tokenizer.json"]) {
    await refused(name, async () => await openTokenizer(await resolveModel(folder.path)));
  }
});
