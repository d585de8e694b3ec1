// One GGUF file of a repository: over the same ground as hub_test.ts, where the ways part.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  downloadSnapshot,
  HubError,
  type HubOptions,
  listCachedModels,
} from "../../../lib/weights/hub.ts";
import { downloadFile } from "../../../lib/weights/hub/file.ts";
import { findPython } from "../../support.ts";
import { TemporaryDirectory } from "../temporary.ts";
import { COMMIT, FakeHub } from "./fake_hub.ts";

const FILE = "quantised/model.gguf";
const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 7);

async function setUp(
  test: (hub: FakeHub, options: HubOptions & { cacheDirectory: string }) => Promise<void>,
): Promise<void> {
  await using hub = new FakeHub();
  using temporary = new TemporaryDirectory();
  hub.files.set(FILE, BYTES);
  await test(hub, {
    endpoint: hub.endpoint,
    cacheDirectory: temporary.path,
    token: "sesame",
    offline: false,
    retryDelay: 1,
    retries: 2,
  });
}

Deno.test("downloadFile() resumes where a connection broke, and sends the token to the hub alone", () =>
  setUp(async (hub, options) => {
    let broken = 0;
    hub.intercept = ({ method, path }, honest) =>
      method === "GET" && path.startsWith("/store/") && broken++ === 0
        ? { ...honest, cut: 100_000 }
        : honest;
    const { path, commit } = await downloadFile("owner/model", FILE, options);
    assertEquals(commit, COMMIT);
    assertEquals(Deno.readFileSync(path), BYTES);
    const gets = hub.asked.filter(({ path }) => path.startsWith("/store/"));
    assertEquals(gets.map(({ headers }) => headers.get("range")), [null, "bytes=100000-"]);
    for (const { path, headers } of hub.asked) {
      const token = path.startsWith("/store/") ? null : "Bearer sesame";
      assertEquals(headers.get("authorization"), token);
    }
    assertEquals(await downloadFile("owner/model", FILE, { ...options, offline: true }), {
      repository: "owner/model",
      revision: "main",
      commit: COMMIT,
      path,
    });
  }));

Deno.test("downloadFile() refuses wrong bytes and wrong lengths, and leaves no file", () =>
  setUp(async (hub, options) => {
    const wrong: [body: Uint8Array, message: string][] = [
      [BYTES.map((byte) => byte ^ 1), "its SHA-256 is"],
      [new Uint8Array(BYTES.length + 1), "sends more than the 300000 bytes"],
      [BYTES.subarray(0, 1000), "ends after 1000 of 300000 bytes"],
    ];
    for (const [body, message] of wrong) {
      hub.intercept = ({ method, path }, honest) =>
        method === "GET" && path.startsWith("/store/")
          ? { status: 200, headers: { "content-length": String(body.length) }, body }
          : honest;
      const run = () => downloadFile("owner/model", FILE, { ...options, retries: 0 });
      await assertRejects(run, HubError, message);
      const snapshot = `${options.cacheDirectory}/models--owner--model/snapshots/${COMMIT}`;
      assert(!await Deno.stat(`${snapshot}/${FILE}`).then(() => true, () => false), message);
      await assertRejects(
        () => downloadFile("owner/model", FILE, { ...options, offline: true }),
        HubError,
        `Cannot find "${FILE}" of "hf:owner/model@main" in "${options.cacheDirectory}`,
      );
    }
  }));

Deno.test("downloadFile() uses an earlier download when the hub is away, and says so", () =>
  setUp(async (hub, options) => {
    const { path } = await downloadFile("owner/model", FILE, options);
    hub.intercept = () => ({ status: 503, headers: {} });
    const again = await downloadFile("owner/model", FILE, options);
    assertEquals(again.path, path);
    assert(again.notice!.includes("status 503; using the file downloaded earlier"));
    hub.intercept = () => ({ status: 401, headers: {} });
    await assertRejects(
      () => downloadFile("owner/model", FILE, options),
      HubError,
      "the token that was sent is not valid",
    );
  }));

Deno.test("downloadFile() says which file is missing, and refuses names that lead elsewhere", () =>
  setUp(async (hub, options) => {
    await assertRejects(
      () => downloadFile("owner/model", "other.gguf", options),
      HubError,
      `Cannot find "other.gguf" of "hf:owner/model@main" at ${hub.endpoint}`,
    );
    const asked = hub.asked.length;
    for (const file of ["../x.gguf", "a/../../x.gguf", "/x.gguf", "a//x.gguf", ".x.gguf", ""]) {
      await assertRejects(
        () => downloadFile("owner/model", file, options),
        RangeError,
        'as a file of "hf:owner/model": expected a path',
      );
    }
    assertEquals(hub.asked.length, asked, "nobody was asked");
  }));

Deno.test("listCachedModels() names what can be used without the hub", () =>
  setUp(async (hub, options) => {
    const list = () => listCachedModels(options.cacheDirectory);
    assertEquals(await listCachedModels(`${options.cacheDirectory}/none`), []);
    hub.files.set("tiny.gguf", BYTES);
    hub.files.set("config.json", new TextEncoder().encode("{}"));
    hub.files.set("model.safetensors", BYTES);
    await downloadFile("owner/model", "tiny.gguf", options);
    assertEquals(await list(), ["owner/model/tiny.gguf"]);
    await downloadSnapshot("owner/model", options);
    Deno.mkdirSync(`${options.cacheDirectory}/models--other--broken/refs`, { recursive: true });
    assertEquals(await list(), ["owner/model", "owner/model/tiny.gguf"]);
  }));

const python = findPython("huggingface_hub");

Deno.test({
  name: `downloadFile() and huggingface_hub find each other's files${python.needs}`,
  ignore: !python.found,
  fn: () =>
    setUp(async (hub, options) => {
      const peer = fromFileUrl(import.meta.resolve("./peer.py"));
      const cache = options.cacheDirectory;
      const { path } = await downloadFile("owner/model", FILE, options);
      assertEquals((await python.run(peer, "file", cache, FILE)).trim(), path);
      await Deno.remove(cache, { recursive: true });
      await python.run(peer, "download", cache, hub.endpoint, FILE);
      hub.asked.length = 0;
      const found = await downloadFile("owner/model", FILE, options);
      assertEquals([found.path, Deno.readFileSync(found.path)], [path, BYTES]);
      assertEquals(hub.count("GET", /./), 0);
    }),
});
