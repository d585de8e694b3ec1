// A model that was taught here, put on the hub, and loaded from there.

import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { loadModel, readRecord } from "../../lib/pipeline/mod.ts";
import { COMMIT, FakeHub } from "../weights/hub/fake_hub.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { ENTRIES, loadNano, SHORT } from "./nano.ts";

Deno.test("a model from the hub knows what it was taught, and its revision is recorded", async () => {
  using temporary = new TemporaryDirectory();
  await using hub = new FakeHub();
  hub.revisions.v1 = COMMIT;
  const mine = join(temporary.path, "mine");
  using model = await loadNano();
  await model.train(ENTRIES, { ...SHORT, format: "zephyr" }).finish();
  await model.save(mine);
  for await (const { name } of Deno.readDir(mine)) {
    hub.files.set(name, await Deno.readFile(join(mine, name)));
  }

  const options = {
    device: "cpu",
    endpoint: hub.endpoint,
    cacheDirectory: join(temporary.path, "cache"),
    offline: false,
  } as const;
  using again = await loadModel("hf:owner/model@v1", options);
  assertEquals([again.format.name, again.taught.trainings], ["zephyr", model.taught.trainings]);
  assertEquals(
    await again.answer("Hi", { maxNewTokens: 4 }),
    await model.answer("Hi", { maxNewTokens: 4 }),
  );

  using adapted = await loadModel("hf:owner/model@v1", { ...options, lora: { rank: 2 } });
  const adapter = join(temporary.path, "adapter");
  await adapted.save(adapter);
  const record = await readRecord(adapter);
  const { base, revision, commit } = record!;
  assertEquals({ base, revision, commit }, { base: "owner/model", revision: "v1", commit: COMMIT });
  const config = JSON.parse(await Deno.readTextFile(join(adapter, "adapter_config.json")));
  assertEquals([config.base_model_name_or_path, config.revision], ["owner/model", "v1"]);
  using found = await loadModel(adapter, options);
  assertEquals([found.source.spec, found.format.name], ["hf:owner/model@v1", "zephyr"]);
});
