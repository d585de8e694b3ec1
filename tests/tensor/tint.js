// Compiles WGSL with Tint, the compiler of Chromium, for a GPU that does nothing: a program of its own, since npm's package
// `webgpu`, which the first argument names with its version, is not one of the project's.

const { create } = await import(Deno.args[0]);
const gpu = create(["backend=null"]);
Object.assign(globalThis, { gpu }); // what was made with it ends when nothing refers to it
const adapter = await gpu.requestAdapter();
const device = await adapter.requestDevice();
const faults = [];
const texts = JSON.parse(await new Response(Deno.stdin.readable).text());
for (const { name, code } of texts) {
  device.pushErrorScope("validation");
  const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
  await device.popErrorScope();
  const errors = messages.filter(({ type }) => type === "error");
  if (errors.length > 0) faults.push(`${name}: ${errors[0].message} (line ${errors[0].lineNum})`);
}
console.log(JSON.stringify(faults));
Deno.exit(0);
