import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type DownloadProgress, downloadSnapshot, HubError } from "../../../lib/weights/hub.ts";
import type { HubOptions } from "../../../lib/weights/hub.ts";
import { TemporaryDirectory } from "../temporary.ts";
import { type Asked, COMMIT, FakeHub, type Reply } from "./fake_hub.ts";

const OTHER_COMMIT = "f".repeat(40);
const WEIGHTS = Uint8Array.from({ length: 600_000 }, (_, i) => (i * i) >> 7);
const text = (value: string) => new TextEncoder().encode(value);

/** A hub with a model, an empty cache, and options that lose no time. */
function setUp(): {
  hub: FakeHub;
  temporary: TemporaryDirectory;
  options: HubOptions;
  repository: string;
} & AsyncDisposable {
  const hub = new FakeHub();
  hub.files.set("config.json", text('{"model_type":"gpt2"}'));
  hub.files.set("tokenizer.json", text("{}"));
  hub.files.set("model.safetensors", WEIGHTS);
  const temporary = new TemporaryDirectory();
  const repository = `${temporary.path}/models--owner--model`;
  return {
    hub,
    temporary,
    repository,
    options: {
      endpoint: hub.endpoint,
      cacheDirectory: temporary.path,
      token: "sesame",
      offline: false,
      retryDelay: 1,
      timeout: 60_000,
    },
    async [Symbol.asyncDispose]() {
      await hub[Symbol.asyncDispose]();
      temporary[Symbol.dispose]();
    },
  };
}

const isWeightsGet = ({ method, path }: Asked) => method === "GET" && path.startsWith("/store/");

/** Changes the answers to the first requests for the weights' bytes. */
function firstAnswers(hub: FakeHub, ...changes: ((honest: Reply, asked: Asked) => Reply)[]): void {
  hub.intercept = (asked, honest) =>
    isWeightsGet(asked) ? changes.shift()?.(honest, asked) ?? honest : honest;
}

/** Ten bytes more than there should be. */
function longer(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 10);
  bytes.set(body);
  return bytes;
}

function assertNoModel(repository: string): void {
  const names = (path: string) => {
    try {
      return [...Deno.readDirSync(path)].map((entry) => entry.name);
    } catch {
      return [];
    }
  };
  assertEquals(names(`${repository}/refs`), [], "no revision is recorded");
  assert(!names(`${repository}/snapshots/${COMMIT}`).includes("model.safetensors"));
}

Deno.test("downloadSnapshot() lays the cache out as huggingface_hub does", async () => {
  await using all = setUp();
  const { hub, options, repository } = all;
  const seen: DownloadProgress[] = [];
  const snapshot = await downloadSnapshot("owner/model", {
    ...options,
    onProgress: (progress) => seen.push(progress),
  });
  assertEquals(snapshot, {
    repository: "owner/model",
    revision: "main",
    commit: COMMIT,
    directory: `${repository}/snapshots/${COMMIT}`,
    files: ["config.json", "tokenizer.json", "model.safetensors"],
  });
  assertEquals(Deno.readTextFileSync(`${repository}/refs/main`), COMMIT);
  for (const file of snapshot.files) {
    const link = Deno.readLinkSync(`${snapshot.directory}/${file}`);
    assertEquals(link, `../../blobs/${hub.etag(file)}`);
    assertEquals(Deno.readFileSync(`${snapshot.directory}/${file}`), hub.files.get(file));
  }
  assertEquals([...Deno.readDirSync(`${repository}/blobs`)].length, 3);
  assert(Deno.statSync(`${repository}/.no_exist/${COMMIT}/vocab.json`).isFile);
  const weights = seen.filter(({ file }) => file === "model.safetensors");
  assertEquals(weights[0], { file: "model.safetensors", received: 0, total: WEIGHTS.length });
  assertEquals(weights.at(-1)!.received, WEIGHTS.length);

  // The token goes to the hub and to nobody else.
  for (const { path, headers } of hub.asked) {
    assertEquals(headers.get("authorization"), path.startsWith("/store/") ? null : "Bearer sesame");
    assertEquals(headers.get("accept-encoding"), "identity");
  }
});

Deno.test("downloadSnapshot() asks one question when everything is cached, none for a commit or offline", async () => {
  await using all = setUp();
  const { hub, options } = all;
  const first = await downloadSnapshot("owner/model", options);
  hub.asked.length = 0;
  assertEquals(await downloadSnapshot("owner/model", options), first);
  assertEquals(hub.asked.map(({ method, path }) => `${method} ${path}`), [
    "HEAD /owner/model/resolve/main/config.json",
  ]);
  hub.asked.length = 0;
  await downloadSnapshot("owner/model", { ...options, revision: COMMIT });
  await downloadSnapshot("owner/model", { ...options, offline: true });
  assertEquals(hub.asked, []);
});

Deno.test("downloadSnapshot() follows a branch that moves and keeps the old until the new is whole", async () => {
  await using all = setUp();
  const { hub, options, repository } = all;
  await downloadSnapshot("owner/model", options);
  hub.revisions = { main: OTHER_COMMIT, [OTHER_COMMIT]: OTHER_COMMIT };
  hub.files.set("model.safetensors", WEIGHTS.map((byte) => byte ^ 1));
  hub.intercept = (asked, honest) => isWeightsGet(asked) ? { ...honest, cut: 100 } : honest;
  await assertRejects(
    () => downloadSnapshot("owner/model", { ...options, retries: 1 }),
    HubError,
  );
  assertEquals(Deno.readTextFileSync(`${repository}/refs/main`), COMMIT);
  const offline = await downloadSnapshot("owner/model", { ...options, offline: true });
  assertEquals(offline.commit, COMMIT);

  hub.intercept = (_, honest) => honest;
  const snapshot = await downloadSnapshot("owner/model", options);
  assertEquals(snapshot.commit, OTHER_COMMIT);
  assertEquals(Deno.readTextFileSync(`${repository}/refs/main`), OTHER_COMMIT);
  const config = `${snapshot.directory}/config.json`;
  assertEquals(hub.count("GET", /config\.json/), 1, "equal contents are fetched once");
  assertEquals(Deno.readLinkSync(config), `../../blobs/${hub.etag("config.json")}`);
});

Deno.test("downloadSnapshot() uses an earlier download when the hub is away, and says so", async () => {
  await using all = setUp();
  const { hub, options } = all;
  const first = await downloadSnapshot("owner/model", options);
  hub.intercept = () => ({ status: 503, headers: {} });
  const second = await downloadSnapshot("owner/model", options);
  assertEquals({ ...second, notice: undefined }, { ...first, notice: undefined });
  assertStringIncludes(second.notice!, "status 503; using the model downloaded earlier");
  const third = await downloadSnapshot("owner/model", {
    ...options,
    endpoint: "http://127.0.0.1:1",
  });
  assertStringIncludes(third.notice!, "Cannot reach http://127.0.0.1:1/owner/model/");

  // Nor does a commit wait, whose optional files another program did not ask for.
  await Deno.remove(`${all.repository}/.no_exist`, { recursive: true });
  hub.asked.length = 0;
  const pinned = await downloadSnapshot("owner/model", { ...options, revision: COMMIT });
  assertStringIncludes(pinned.notice!, "status 503; using the model downloaded earlier");
  const tries = Map.groupBy(hub.asked, ({ path }) => path);
  assertEquals([...tries.values()].filter(({ length }) => length > 1), []);
});

Deno.test("downloadSnapshot() downloads a sharded model", async () => {
  await using all = setUp();
  const { hub, options } = all;
  hub.files.delete("model.safetensors");
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  hub.files.set(
    "model.safetensors.index.json",
    text(JSON.stringify({ weight_map: { a: shards[0], b: shards[1], c: shards[0] } })),
  );
  for (const [i, shard] of shards.entries()) hub.files.set(shard, text(`shard ${i}`));
  const { files, directory } = await downloadSnapshot("owner/model", options);
  assertEquals(files.slice(2), ["model.safetensors.index.json", ...shards]);
  assertEquals(Deno.readTextFileSync(`${directory}/${shards[1]}`), "shard 1");
  assertEquals((await downloadSnapshot("owner/model", { ...options, offline: true })).files, files);

  hub.files.delete(shards[1]);
  using other = new TemporaryDirectory();
  await assertRejects(
    () => downloadSnapshot("owner/model", { ...options, cacheDirectory: other.path }),
    HubError,
    `Cannot find "${shards[1]}" in "hf:owner/model@main" at ${hub.endpoint}: the model's index`,
  );
});

Deno.test("downloadSnapshot() resumes where a connection broke", async () => {
  await using all = setUp();
  const { hub, options } = all;
  firstAnswers(
    hub,
    (honest) => ({ ...honest, cut: 200_000 }),
    () => ({ status: 503, headers: {} }),
    (honest) => ({ ...honest, cut: 5 }),
  );
  const { directory } = await downloadSnapshot("owner/model", options);
  assertEquals(Deno.readFileSync(`${directory}/model.safetensors`), WEIGHTS);
  const ranges = hub.asked.filter(isWeightsGet).map(({ headers }) => headers.get("range"));
  assertEquals(ranges.length, 4);
  assertEquals(ranges[0], null);
  // What arrived before the break is not asked for again (the last piece may have been lost).
  const resumed = ranges.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range!)![1]));
  assert(resumed[0] > 0 && resumed[0] <= 200_000, `${resumed}`);
  assertEquals(resumed[1], resumed[0]);
  assert(resumed[2] >= resumed[1] && resumed[2] <= resumed[1] + 5, `${resumed}`);
});

Deno.test("downloadSnapshot() keeps what arrived when it is stopped, and resumes from there", async () => {
  await using all = setUp();
  const { hub, options, repository } = all;
  const stop = new AbortController();
  hub.intercept = (asked, honest) =>
    isWeightsGet(asked) ? { ...honest, cut: 400_000, hang: true } : honest;
  const reason = new Error("stopped by hand");
  const error = await assertRejects(() =>
    downloadSnapshot("owner/model", {
      ...options,
      signal: stop.signal,
      onProgress: ({ file, received }) => {
        if (file === "model.safetensors" && received >= 300_000) stop.abort(reason);
      },
    })
  );
  assert(error === reason, `${error}`);
  assertNoModel(repository);
  const incomplete = `${repository}/blobs/${hub.etag("model.safetensors")}.incomplete`;
  assert(Deno.statSync(incomplete).size >= 300_000);

  hub.intercept = (_, honest) => honest;
  hub.asked.length = 0;
  const { directory } = await downloadSnapshot("owner/model", options);
  assertEquals(Deno.readFileSync(`${directory}/model.safetensors`), WEIGHTS);
  const [range] = hub.asked.filter(isWeightsGet).map(({ headers }) => headers.get("range"));
  assert(Number(/^bytes=(\d+)-$/.exec(range!)![1]) >= 300_000);
});

const FAULTS: [what: string, change: (honest: Reply, asked: Asked) => Reply, attempts: number][] = [
  ["breaks off at once", (honest) => ({ ...honest, cut: 0 }), 2],
  ["announces more than there is", ({ headers, ...rest }) => ({
    ...rest,
    headers: { ...headers, "content-length": "600001" },
  }), 1],
  ["announces and sends less", ({ headers, body, ...rest }) => ({
    ...rest,
    headers: { ...headers, "content-length": "1000" },
    body: body!.subarray(0, 1000),
  }), 2],
  ["sends more than was promised", ({ headers, body, ...rest }) => ({
    ...rest,
    headers: { ...headers, "content-length": "600010" },
    body: longer(body!),
  }), 2],
  ["sends wrong bytes", (honest) => ({ ...honest, body: honest.body!.map((byte) => byte ^ 2) }), 2],
  ["sends an error page", () => ({ status: 500, headers: {}, body: text("<html>") }), 2],
  ["limits the rate", () => ({ status: 429, headers: { "retry-after": "0" } }), 2],
  ["talks gibberish", () => ({ status: 99, headers: {} }), 2],
];

for (const [what, change, attempts] of FAULTS) {
  Deno.test(`downloadSnapshot() gets the model from a hub that once ${what}`, async () => {
    await using all = setUp();
    const { hub, options } = all;
    firstAnswers(hub, change);
    const { directory } = await downloadSnapshot("owner/model", options);
    assertEquals(Deno.readFileSync(`${directory}/model.safetensors`), WEIGHTS);
    assertEquals(hub.asked.filter(isWeightsGet).length, attempts);
  });
}

Deno.test("downloadSnapshot() starts over where the hub ignores or mistakes the range", async () => {
  const wrongRange = (honest: Reply): Reply => ({
    ...honest,
    headers: { ...honest.headers, "content-range": "bytes 7-599999/600000" },
  });
  const everything = (): Reply => ({ status: 200, headers: {}, body: WEIGHTS });
  const notSatisfiable = (): Reply => ({ status: 416, headers: {} });
  for (const second of [wrongRange, everything, notSatisfiable]) {
    await using all = setUp();
    firstAnswers(all.hub, (honest) => ({ ...honest, cut: 100_000 }), second);
    const { directory } = await downloadSnapshot("owner/model", all.options);
    assertEquals(Deno.readFileSync(`${directory}/model.safetensors`), WEIGHTS);
  }
});

Deno.test("downloadSnapshot() throws away a part that another program left wrong", async () => {
  await using all = setUp();
  const { hub, options, repository } = all;
  Deno.mkdirSync(`${repository}/blobs`, { recursive: true });
  const blob = `${repository}/blobs/${hub.etag("model.safetensors")}`;
  for (const length of [1000, WEIGHTS.length, WEIGHTS.length + 1000]) {
    Deno.writeFileSync(`${blob}.incomplete`, new Uint8Array(length).fill(1));
    const { directory } = await downloadSnapshot("owner/model", options);
    assertEquals(Deno.readFileSync(`${directory}/model.safetensors`), WEIGHTS);
    Deno.removeSync(blob);
  }
});

Deno.test("downloadSnapshot() gives up on a hub that never sends what it promised", async () => {
  const lies: [(honest: Reply) => Reply, string][] = [
    [(honest) => ({ ...honest, body: honest.body!.map((byte) => byte ^ 2) }), "its SHA-256 is"],
    [(honest) => ({ ...honest, cut: 0 }), "Lost the connection to"],
    [({ headers, body, ...rest }) => ({
      ...rest,
      headers: { ...headers, "content-length": "600010" },
      body: longer(body!),
    }), "sends more than the 600000 bytes that it promised"],
    [() => ({ status: 200, headers: {}, body: text("short") }), "ends after 5 of 600000 bytes"],
  ];
  for (const [lie, message] of lies) {
    await using all = setUp();
    const { hub, options, repository } = all;
    hub.intercept = (asked, honest) => isWeightsGet(asked) ? lie(honest) : honest;
    const error = await assertRejects(
      () => downloadSnapshot("owner/model", { ...options, retries: 2 }),
      HubError,
      message,
    );
    assert(!error.message.includes("secret"), "no signature in messages");
    assert(hub.asked.filter(isWeightsGet).length <= 3);
    assertNoModel(repository);
  }
});

Deno.test("downloadSnapshot() checks small files by git's hash, or the plain one of some mirrors", async () => {
  await using all = setUp();
  const { hub, options } = all;
  hub.intercept = ({ method, path }, honest) =>
    method === "GET" && path.endsWith("config.json")
      ? { ...honest, body: text('{"model_type":"gpt3"}') }
      : honest;
  await assertRejects(
    () => downloadSnapshot("owner/model", options),
    HubError,
    'Cannot download "config.json" of "hf:owner/model" from ' + hub.endpoint +
      ": its git SHA-1 is",
  );
  const digest = await crypto.subtle.digest("SHA-1", text('{"model_type":"gpt2"}'));
  const plain = [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, "0")).join("");
  hub.intercept = ({ path }, honest) =>
    path.endsWith("config.json")
      ? { ...honest, headers: { ...honest.headers, etag: `W/"${plain}"` } }
      : honest;
  const { directory } = await downloadSnapshot("owner/model", options);
  assertEquals(Deno.readLinkSync(`${directory}/config.json`), `../../blobs/${plain}`);
});

Deno.test("downloadSnapshot() does not wait for a hub that falls silent", async () => {
  await using all = setUp();
  const { hub, options, repository } = all;
  hub.intercept = (asked, honest) =>
    isWeightsGet(asked) ? { ...honest, cut: 10, hang: true } : honest;
  await assertRejects(
    // On a busy machine, even what the hub answers takes a while.
    () => downloadSnapshot("owner/model", { ...options, timeout: 3000, retries: 0 }),
    HubError,
    `Lost the connection to ${hub.store}/store/model.safetensors: it said nothing for 3 seconds`,
  );
  assertNoModel(repository);
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    await assertRejects(
      () =>
        downloadSnapshot("owner/model", {
          ...options,
          timeout: 100,
          retries: 1,
          endpoint: `http://127.0.0.1:${silent.addr.port}`,
        }),
      HubError,
      "it said nothing for 0.1 seconds",
    );
  } finally {
    silent.close();
  }
});

const REFUSALS: [what: string, reply: Reply, message: string][] = [
  [
    "a gated repository",
    { status: 403, headers: { "x-error-code": "GatedRepo" } },
    "access is restricted: ask for it at ",
  ],
  ["403", { status: 403, headers: {} }, "access is restricted"],
  ["401", { status: 401, headers: {} }, "the token that was sent is not valid"],
  [
    "no repository",
    { status: 401, headers: { "x-error-code": "RepoNotFound" } },
    "there is no such repository, or it is hidden: the token that was sent may not read it",
  ],
  [
    "no revision",
    { status: 404, headers: { "x-error-code": "RevisionNotFound" } },
    "there is no such revision",
  ],
  ["404", { status: 404, headers: {} }, "there is no such repository, revision or file"],
  ["400", { status: 400, headers: {} }, "the server answered with status 400"],
  ["no commit", { status: 200, headers: { etag: '"x"' } }, "does not say its commit"],
  [
    "a commit that leads elsewhere",
    { status: 200, headers: { "etag": '"x"', "x-repo-commit": "../../../elsewhere" } },
    "does not say its commit",
  ],
  ["no etag", { status: 200, headers: { "x-repo-commit": COMMIT } }, "no usable ETag"],
  [
    "an etag that leads elsewhere",
    { status: 200, headers: { "etag": '"../../x"', "x-repo-commit": COMMIT } },
    "no usable ETag",
  ],
  [
    "a redirect to a file",
    { status: 302, headers: { location: "file:///etc/passwd" } },
    "it redirects to",
  ],
  ["a redirect to nowhere", { status: 302, headers: {} }, "it redirects to nowhere"],
];

for (const [what, reply, message] of REFUSALS) {
  Deno.test(`downloadSnapshot() says what is wrong when the hub answers ${what}`, async () => {
    await using all = setUp();
    const { hub, options, repository } = all;
    hub.intercept = () => reply;
    const error = await assertRejects(
      () => downloadSnapshot("owner/model", options),
      HubError,
      message,
    );
    assert(!error.message.includes("sesame"));
    assertEquals(hub.asked.length, 1, "trying again would not help");
    assertNoModel(repository);
  });
}

Deno.test("downloadSnapshot() tries 429 and 5xx again as often as it is told", async () => {
  for (const [status, message] of [[429, "too many requests"], [502, "status 502"]] as const) {
    await using all = setUp();
    const { hub, options } = all;
    hub.intercept = () => ({ status, headers: {} });
    const run = () => downloadSnapshot("owner/model", { ...options, retries: 3 });
    const error = await assertRejects(run, HubError, message);
    assertEquals(error.status, status);
    assertEquals(hub.asked.length, 4);
  }
});

Deno.test("downloadSnapshot() follows redirects of a renamed repository, and not for ever", async () => {
  await using all = setUp();
  const { hub, options } = all;
  hub.intercept = ({ path }, honest) =>
    path.startsWith("/old/name/")
      ? { status: 307, headers: { location: path.replace("/old/name/", "/owner/model/") } }
      : honest;
  const snapshot = await downloadSnapshot("old/name", options);
  assertEquals(Deno.readFileSync(`${snapshot.directory}/model.safetensors`), WEIGHTS);

  hub.intercept = ({ path }) => ({ status: 302, headers: { location: `${path}x` } });
  await assertRejects(
    () => downloadSnapshot("owner/loop", options),
    HubError,
    "redirects more than 10 times",
  );
});

Deno.test("downloadSnapshot() of the same model at the same time downloads it once", async () => {
  await using all = setUp();
  const { hub, options } = all;
  const snapshots = await Promise.all(
    Array.from({ length: 5 }, () => downloadSnapshot("owner/model", options)),
  );
  for (const snapshot of snapshots) assertEquals(snapshot, snapshots[0]);
  assertEquals(Deno.readFileSync(`${snapshots[0].directory}/model.safetensors`), WEIGHTS);
  assertEquals(hub.asked.filter(isWeightsGet).length, 1);
});

Deno.test("downloadSnapshot() says what an offline cache or a repository lacks", async () => {
  await using all = setUp();
  const { hub, options, repository } = all;
  await assertRejects(
    () => downloadSnapshot("owner/model", { ...options, offline: true }),
    HubError,
    `Cannot find "hf:owner/model@main" in "${repository}" and it may not be downloaded`,
  );
  hub.files.delete("model.safetensors");
  await assertRejects(
    () => downloadSnapshot("owner/model", options),
    HubError,
    `Cannot find weights in "hf:owner/model@main" at ${hub.endpoint}: looked for "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin" and "pytorch_model.bin.index.json"`,
  );
  hub.files.delete("config.json");
  hub.files.set("model.safetensors", WEIGHTS);
  await assertRejects(
    () => downloadSnapshot("owner/model", options),
    HubError,
    'Cannot find "config.json" in "hf:owner/model@main"',
  );
});

Deno.test("downloadSnapshot() refuses malformed names before it asks anybody", async () => {
  await using all = setUp();
  const { hub, options } = all;
  for (const name of ["gpt2", "a/b/c", "../x", "a/..", "a b/c", "/x", "a--b/c", "", "a/b\0"]) {
    await assertRejects(
      () => downloadSnapshot(name, options),
      RangeError,
      'as a repository of the hub: expected "owner/name"',
    );
  }
  for (const revision of ["", "../main", "a/../b", "/main", "a b", "a//b", "-x"]) {
    await assertRejects(
      () => downloadSnapshot("owner/model", { ...options, revision }),
      RangeError,
      'as a revision of "hf:owner/model"',
    );
  }
  await assertRejects(
    () => downloadSnapshot("owner/model", { ...options, endpoint: "ftp://x" }),
    RangeError,
    'Cannot use "ftp://x" as HF_ENDPOINT',
  );
  assertEquals(hub.asked, []);
});

Deno.test("downloadSnapshot() takes server, cache, token and offline from the environment", async () => {
  await using all = setUp();
  const { hub, temporary } = all;
  // In a process of its own: tests that run beside this one share the environment.
  const module = new URL("../../../lib/weights/hub.ts", import.meta.url).href;
  const run = async (extra: Record<string, string>, code = "") => {
    const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "--quiet",
        `import { downloadSnapshot } from ${JSON.stringify(module)};
         ${code}
         console.log((await downloadSnapshot("owner/model", { retries: 0 })).directory)`,
      ],
      cwd: new URL("../../..", import.meta.url),
      env: {
        HF_ENDPOINT: `${hub.endpoint}/`,
        HF_TOKEN: "",
        HF_HUB_OFFLINE: "",
        HF_HUB_CACHE: "",
        ...extra,
      },
    }).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { success, out: decode(stdout).trim(), problem: decode(stderr) };
  };
  const home = `${temporary.path}/home`;
  Deno.mkdirSync(home);
  Deno.writeTextFileSync(`${home}/token`, "from a file\n");
  const first = await run({ HF_HOME: home });
  assertEquals(first.out, `${home}/hub/models--owner--model/snapshots/${COMMIT}`, first.problem);
  assertEquals(hub.asked[0].headers.get("authorization"), "Bearer from a file");

  hub.asked.length = 0;
  const offline = await run({ HF_HOME: home, HF_HUB_OFFLINE: "1" });
  assertEquals(offline.out, first.out);
  assertEquals(hub.asked, []);

  const elsewhere = await run({
    HF_HOME: home,
    HF_HUB_CACHE: `${temporary.path}/cache`,
    HF_TOKEN: "direct",
  });
  assertStringIncludes(elsewhere.out, `${temporary.path}/cache/models--owner--model/`);
  assertEquals(hub.asked[0].headers.get("authorization"), "Bearer direct");
});
