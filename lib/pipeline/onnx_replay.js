// Runs prompts through an ONNX file; onnx_replay.ts starts it in a process of its own. Writes all logits of each prompt,
// then those of its second half, computed after the keys and values of the first.

const [runtime, path, out, description] = Deno.args;
const { prompts, shape: [, heads, , width] } = JSON.parse(description);

let ort;
try {
  ort = await import(runtime);
} catch {
  Deno.exit(3); // it is not on this machine
}

const session = await ort.InferenceSession.create(path);
const integers = (values) =>
  new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);

async function run(tokens, from, past) {
  const places = tokens.map((_, i) => from + i);
  const feeds = {
    input_ids: integers(tokens),
    attention_mask: integers(Array(from + tokens.length).fill(1)),
    position_ids: integers(places),
  };
  for (const name of session.inputNames.filter((name) => name.startsWith("past_key_values."))) {
    feeds[name] = past?.[name.replace("past_key_values", "present")] ??
      new ort.Tensor("float32", new Float32Array(0), [1, heads, 0, width]);
  }
  return await session.run(feeds);
}

const file = await Deno.open(out, { write: true });
const writer = file.writable.getWriter();
const write = ({ data: { buffer, byteOffset, byteLength } }) =>
  writer.write(new Uint8Array(buffer, byteOffset, byteLength));
for (const tokens of prompts) {
  await write((await run(tokens, 0)).logits);
  const half = tokens.length >> 1;
  const past = await run(tokens.slice(0, half), 0);
  await write((await run(tokens.slice(half), half, past)).logits);
}
await writer.close();
console.log(ort.env.versions.node);
Deno.exit();
