// Against Hugging Face's own client: each finds in the cache what the other downloaded.

import { assertEquals } from "@std/assert";
import { downloadSnapshot } from "../../../lib/weights/hub.ts";
import { findPython } from "../python.ts";
import { TemporaryDirectory } from "../temporary.ts";
import { COMMIT, FakeHub } from "./fake_hub.ts";

const python = findPython({ huggingface_hub: "huggingface_hub" });
const text = (value: string) => new TextEncoder().encode(value);

function fill(hub: FakeHub): void {
  hub.files.set("config.json", text("{}"));
  hub.files.set("vocab.json", text('{"a":0}'));
  hub.files.set("model.safetensors", text("weights".repeat(10_000)));
}

const FIND = `
import os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
from huggingface_hub import hf_hub_download, snapshot_download, scan_cache_dir, try_to_load_from_cache
from huggingface_hub import _CACHED_NO_EXIST
cache = sys.argv[1]
print(snapshot_download("owner/model", cache_dir=cache, local_files_only=True))
print(hf_hub_download("owner/model", "model.safetensors", revision="main", cache_dir=cache))
assert try_to_load_from_cache("owner/model", "merges.txt", cache_dir=cache) is _CACHED_NO_EXIST
report = scan_cache_dir(cache)
assert not report.warnings, report.warnings
(repo,) = report.repos
(revision,) = repo.revisions
assert revision.refs == {"main"}, revision.refs
print(sorted(file.file_name for file in revision.files))
`;

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
    assertEquals((await python.run(FIND, temporary.path)).trim().split("\n"), [
      directory,
      `${directory}/model.safetensors`,
      "['config.json', 'model.safetensors', 'vocab.json']",
    ]);
  },
});

const DOWNLOAD = `
import os, sys
cache, os.environ["HF_ENDPOINT"] = sys.argv[1:3]
os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ["HF_HUB_DISABLE_XET"] = "1"
from huggingface_hub import hf_hub_download
for file in sys.argv[3:]:
    hf_hub_download("owner/model", file, cache_dir=cache)
`;

Deno.test({
  name: `downloadSnapshot() uses what huggingface_hub downloaded${python.needs}`,
  ignore: !python.found,
  fn: async () => {
    await using hub = new FakeHub();
    using temporary = new TemporaryDirectory();
    fill(hub);
    await python.run(DOWNLOAD, temporary.path, hub.endpoint, "config.json", "model.safetensors");
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
