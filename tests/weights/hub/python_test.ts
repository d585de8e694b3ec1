// Against Hugging Face's own client: each finds in the cache what the other downloaded.

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { downloadSnapshot } from "../../../lib/weights/hub.ts";
import { findPython } from "../../support.ts";
import { TemporaryDirectory } from "../temporary.ts";
import { COMMIT, FakeHub } from "./fake_hub.ts";

const python = findPython("huggingface_hub");
const peer = fromFileUrl(import.meta.resolve("./peer.py"));
const text = (value: string) => new TextEncoder().encode(value);

function fill(hub: FakeHub): void {
  hub.files.set("config.json", text("{}"));
  hub.files.set("vocab.json", text('{"a":0}'));
  hub.files.set("model.safetensors", text("weights".repeat(10_000)));
}

Deno.test({
  name: `downloadSnapshot() fills a cache that huggingface_hub uses${python.needs}`,
  ignore: !python.found,
  fn: async () => {
    await using hub = new FakeHub();
    using temporary = new TemporaryDirectory();
    fill(hub);
    const { directory } = await downloadSnapshot("owner/model", {
      endpoint: hub.endpoint,
      cacheDirectory: temporary.path,
      offline: false,
    });
    assertEquals((await python.run(peer, "find", temporary.path)).trim().split("\n"), [
      directory,
      `${directory}/model.safetensors`,
      "['config.json', 'model.safetensors', 'vocab.json']",
    ]);
  },
});

Deno.test({
  name: `downloadSnapshot() uses what huggingface_hub downloaded${python.needs}`,
  ignore: !python.found,
  fn: async () => {
    await using hub = new FakeHub();
    using temporary = new TemporaryDirectory();
    fill(hub);
    await python.run(
      peer,
      "download",
      temporary.path,
      hub.endpoint,
      "config.json",
      "model.safetensors",
    );
    hub.asked.length = 0;
    const snapshot = await downloadSnapshot("owner/model", {
      cacheDirectory: temporary.path,
      offline: true,
    });
    assertEquals([snapshot.commit, snapshot.files], [COMMIT, ["config.json", "model.safetensors"]]);
    assertEquals(hub.asked, []);

    const online = await downloadSnapshot("owner/model", {
      endpoint: hub.endpoint,
      cacheDirectory: temporary.path,
      offline: false,
    });
    assertEquals(online.files, ["config.json", "vocab.json", "model.safetensors"]);
    assertEquals(hub.count("GET", /./), 1, "only what was not there");
  },
});
