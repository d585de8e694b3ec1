import { assertEquals, assertRejects } from "@std/assert";
import { listOllamaModels, ollamaStores, resolveOllama } from "../../lib/weights/ollama_store.ts";
import { resolveModel } from "../../lib/weights/resolve.ts";
import { ollamaAdapters } from "../../lib/weights/resolved.ts";
import { Store } from "./ollama_store.ts";

Deno.test("resolveModel() reads a model of the local Ollama where it lies", async () => {
  using store = new Store();
  const weights = store.layer("model", "GGUF");
  store.manifest("registry.ollama.ai/library/tiny/latest", {
    schemaVersion: 2,
    layers: [
      weights,
      store.layer("template", "{{ .Prompt }}"),
      store.layer("system", "Be brief."),
      store.layer("params", '{"stop":["</s>"],"temperature":0}'),
      store.layer("license", "MIT"),
    ],
  });
  const options = { ollamaStores: [`${store.path}/none`, store.path] };
  const expected = {
    kind: "gguf",
    spec: "ollama:tiny",
    source: "ollama",
    name: "tiny",
    weights: `${store.path}/blobs/${weights.digest.replace(":", "-")}`,
    ollama: {
      template: "{{ .Prompt }}",
      system: "Be brief.",
      parameters: { stop: ["</s>"], temperature: 0 },
      adapters: [],
    },
  };
  assertEquals(await resolveModel("ollama:tiny", options), expected);
  for (const spec of ["ollama:tiny:latest", "ollama:library/tiny"]) {
    assertEquals(await resolveModel(spec, options), { ...expected, spec });
  }
});

Deno.test("resolveOllama() knows tags, namespaces and other registries, and adapters", async () => {
  using store = new Store();
  const base = store.layer("model", "GGUF base");
  const adapter = store.layer("adapter", "GGUF adapter");
  store.manifest("registry.ollama.ai/library/tiny/1b-q8_0", { layers: [base] });
  store.manifest("registry.ollama.ai/me/tiny/latest", { layers: [base, adapter] });
  store.manifest("hf.co/owner/Tiny-GGUF/Q8_0", { layers: [base] });
  const stores = [store.path];
  assertEquals((await listOllamaModels(stores)).map(({ name }) => name), [
    "hf.co/owner/Tiny-GGUF:Q8_0",
    "me/tiny",
    "tiny:1b-q8_0",
  ]);
  for (const { name } of await listOllamaModels(stores)) {
    assertEquals((await resolveOllama(`ollama:${name}`, stores)).source, "ollama");
  }
  assertEquals((await resolveOllama("ollama:tiny:1b-q8_0", stores)).name, "tiny-1b-q8_0");
  assertEquals(ollamaAdapters(await resolveOllama("ollama:me/tiny", stores)), [
    `${store.path}/blobs/${adapter.digest.replace(":", "-")}`,
  ]);
});

Deno.test("resolveOllama() says what it looked for, where, and what is damaged", async () => {
  using store = new Store();
  const stores = [`${store.path}/none`, store.path];
  const rejects = (spec: string, type: new () => Error, message: string) =>
    assertRejects(() => resolveOllama(spec, stores), type, message);
  const library = "registry.ollama.ai/library";
  await rejects(
    "ollama:tiny",
    Deno.errors.NotFound,
    `Cannot find model "ollama:tiny": looked for "${store.path}/none/manifests/${library}/tiny/latest" ` +
      `and "${store.path}/manifests/${library}/tiny/latest"; to get it: ollama pull tiny`,
  );
  const weights = store.layer("model", "GGUF");
  store.manifest(`${library}/tiny/latest`, { layers: [weights] });
  await rejects("ollama:tini:x", Deno.errors.NotFound, '; there is "ollama:tiny"');
  for (const name of ["", "../x", "a/b/c/d", "tiny:", "tiny:a/b", "a..b", "x y", "/x", "-x"]) {
    await rejects(`ollama:${name}`, RangeError, 'expected "ollama:name", "ollama:name:tag"');
  }

  const path = store.manifest(`${library}/bad/latest`, "{");
  await rejects("ollama:bad", SyntaxError, `its manifest "${path}" is not JSON`);
  const manifests: [manifest: unknown, type: new () => Error, message: string][] = [
    [{}, SyntaxError, 'is damaged at "layers"'],
    [
      { layers: [{ ...weights, digest: "sha256:../../x" }] },
      SyntaxError,
      'is damaged at "layers.0.digest"',
    ],
    [{ layers: [] }, TypeError, "has no GGUF layers, expected one"],
    [{ layers: [weights, weights] }, TypeError, "has 2 GGUF layers, expected one"],
    [{ layers: [{ ...weights, size: 9 }] }, SyntaxError, "has 4 bytes and its manifest says 9"],
    [
      { layers: [{ ...weights, digest: `sha256:${"0".repeat(64)}` }] },
      Deno.errors.NotFound,
      `names "${store.path}/blobs/sha256-${"0".repeat(64)}" and there is no such file`,
    ],
    [
      { layers: [weights, store.layer("params", "[1]")] },
      SyntaxError,
      'its parameters are "[1]", expected a JSON object',
    ],
  ];
  for (const [manifest, type, message] of manifests) {
    store.manifest(`${library}/bad/latest`, manifest);
    await rejects("ollama:bad", type, message);
  }
});

Deno.test("ollamaStores() takes OLLAMA_MODELS, or the usual places", async () => {
  // in a process of its own: tests that run beside this one share the environment
  const module = new URL("../../lib/weights/ollama_store.ts", import.meta.url).href;
  const run = async (env: Record<string, string>) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "--quiet",
        `import { ollamaStores } from ${JSON.stringify(module)};
         console.log(JSON.stringify(ollamaStores()))`,
      ],
      cwd: new URL("../..", import.meta.url),
      env,
    }).output();
    return JSON.parse(new TextDecoder().decode(stdout));
  };
  assertEquals(await run({ OLLAMA_MODELS: "/models" }), ["/models"]);
  assertEquals(await run({ OLLAMA_MODELS: "" }), [
    `${Deno.env.get("HOME")}/.ollama/models`,
    "/usr/share/ollama/.ollama/models",
  ]);
  assertEquals(ollamaStores().length > 0, true);
});
