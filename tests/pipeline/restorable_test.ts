// What `tunebook run --resume` keeps of a model: beside its weights, what it was taught.

import { assert, assertEquals } from "@std/assert";
import { restorables } from "../../lib/restorable.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { ENTRIES, loadNano, SHORT } from "./nano.ts";

Deno.test("a model that is restored in a new process knows what it was taught", async () => {
  using temporary = new TemporaryDirectory();
  using model = await loadNano();
  await model.train(ENTRIES, { ...SHORT, format: "zephyr" }).finish();
  const kind = restorables().find(({ matches }) => matches(model))!;
  const data = await kind.save(model, temporary.path) as { network: unknown };

  // as in a new process: the weights are restored into networks that were never trained
  using fresh = await loadNano();
  const made = await kind.restore({ ...data, network: fresh.network }, temporary.path);
  assert(kind.matches(made) && made !== fresh);
  const { taught, format } = made as typeof model;
  assertEquals([taught, format.name], [model.taught, "zephyr"]);

  // where the model is there already, other holders see the change
  assertEquals(fresh.format.name, "alpaca");
  const filled = await kind.restore({ ...data, network: fresh.network }, temporary.path, fresh);
  assertEquals(filled, fresh);
  assertEquals([fresh.taught, fresh.format.name], [model.taught, "zephyr"]);
});
