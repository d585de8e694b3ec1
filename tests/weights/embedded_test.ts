// The embedded model where the library lies on a server.

import { assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join, resolve } from "@std/path";
import { EMBEDDED_FILES, embeddedDirectory } from "../../lib/weights/embedded.ts";
import { sha256File } from "../../lib/weights/sha256.ts";

const nano = fromFileUrl(import.meta.resolve("../../data/nano/"));

Deno.test("the embedded model's files are those whose hashes the library knows", async () => {
  for (const [name, hash] of Object.entries(EMBEDDED_FILES)) {
    assertEquals(await sha256File(join(nano, name)), hash, name);
  }
  assertEquals(await embeddedDirectory(), resolve(nano));
});

Deno.test("embeddedDirectory() downloads the model once, and takes nothing else for it", async () => {
  const cache = await Deno.makeTempDir();
  const before = Deno.env.get("XDG_CACHE_HOME");
  Deno.env.set("XDG_CACHE_HOME", cache);
  const asked: string[] = [];
  let answer = (name: string) => Deno.readFile(join(nano, name));
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const name = new URL(request.url).pathname.slice("/nano/".length);
      asked.push(name);
      return name === "gone" ? new Response("", { status: 404 }) : new Response(await answer(name));
    },
  );
  const home = new URL(`http://127.0.0.1:${server.addr.port}/nano/`);
  try {
    const directory = await embeddedDirectory(home);
    assertEquals(asked, ["config.json", "model.safetensors"]);
    assertEquals(await embeddedDirectory(home), directory);
    assertEquals(asked.length, 2); // what is whole is not asked for again

    // A file that was changed in the cache is downloaded again, and a changed one on the server refused.
    await Deno.writeTextFile(join(directory, "config.json"), "{}");
    answer = () => Promise.resolve(new TextEncoder().encode("{ }"));
    await assertRejects(() => embeddedDirectory(home), TypeError, "expected c43101ee");
    answer = (name) => Deno.readFile(join(nano, name));
    await embeddedDirectory(home);
    assertEquals(await sha256File(join(directory, "config.json")), EMBEDDED_FILES["config.json"]);

    await Deno.remove(directory, { recursive: true });
    await assertRejects(
      () => embeddedDirectory(new URL("nowhere/", home)),
      Deno.errors.NotFound,
      'Cannot find model "nano"',
    );
  } finally {
    if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
    else Deno.env.set("XDG_CACHE_HOME", before);
    await Deno.remove(cache, { recursive: true });
  }
});
