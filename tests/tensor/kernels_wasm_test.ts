// The compiled kernels that are part of the repository.

import { assertEquals } from "@std/assert";
import { compileKernels, generatedFiles, MODULES } from "../../lib/tensor/cpu/build.ts";

const hash = async (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();

for (const name of Object.keys(MODULES) as (keyof typeof MODULES)[]) {
  Deno.test(`${name} is what its sources compile to`, async () => {
    const committed = await Deno.readFile(new URL(`../../lib/tensor/cpu/${name}`, import.meta.url));
    assertEquals(
      await hash(await compileKernels(name)),
      await hash(committed),
      'Run "deno task build"',
    );
  });
}

Deno.test("what a build writes beside it is what is committed", async () => {
  for (const [address, text] of await generatedFiles()) {
    assertEquals(await Deno.readTextFile(address), text, 'Run "deno task build"');
  }
});
