// Against the format's own library: each reads what the other wrote, and the bytes are equal.

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { openSafetensors } from "../../../lib/weights/safetensors/read.ts";
import { writeSafetensors } from "../../../lib/weights/safetensors/write.ts";
import { findPython } from "../../support.ts";
import { TemporaryDirectory } from "../temporary.ts";

const python = findPython("numpy", "safetensors", "ml_dtypes");
const peer = fromFileUrl(import.meta.resolve("./peer.py"));

/** Values that exercise rounding: fractions, subnormals, ties, both signs. */
const VALUES = Float32Array.from(
  { length: 3 * 1000 },
  (_, i) => Math.sin(i) * 10 ** ((i % 13) - 8),
);

const OURS = [
  { name: "half", shape: [3, 1000], data: VALUES, dtype: "F16" },
  { name: "a.scalar", shape: [], data: Float32Array.of(2.5) },
  { name: "brain", shape: [3, 1000], data: () => VALUES, dtype: "BF16" },
  { name: "empty", shape: [0, 7], data: new Float32Array(0) },
  { name: "z.single", shape: [3, 1000], data: VALUES },
] as const;

Deno.test({
  name: `writeSafetensors() writes what the safetensors library reads${python.needs}`,
  ignore: !python.found,
  fn: async () => {
    using temporary = new TemporaryDirectory();
    const values = temporary.file("values", new Uint8Array(VALUES.buffer));
    const path = temporary.file("ours.safetensors");
    await writeSafetensors(path, OURS, { metadata: { format: "pt", note: 'é"' } });
    assertEquals(await python.run(peer, "check", values, path), "equal\n");
  },
});

Deno.test({
  name: `openSafetensors() reads what the safetensors library writes${python.needs}`,
  ignore: !python.found,
  fn: async () => {
    using temporary = new TemporaryDirectory();
    const values = temporary.file("values", new Uint8Array(VALUES.buffer));
    const path = temporary.file("theirs.safetensors");
    await python.run(peer, "write", values, path);
    using model = await openSafetensors(path);
    assertEquals({ ...model.metadata }, { format: "pt" });
    assertEquals(model.info("z.single").shape, [3, 1000]);
    assertEquals(await model.read("z.single"), VALUES);
    assertEquals(await model.read("half"), Float32Array.from(Float16Array.from(VALUES)));
    assertEquals([...await model.read("a.scalar")], [2.5]);
    assertEquals((await model.read("empty")).length, 0);
    assertEquals([...await model.readBytes("flags")], [1, 0]);

    // Written again from what was read, the file is the same, apart from the type we do not write.
    const copy = temporary.file("copy.safetensors");
    const names = [...model.tensors.keys()].filter((name) => name !== "flags");
    const entries = names.map((name) => ({
      name,
      shape: model.info(name).shape,
      dtype: model.info(name).dtype as "F32",
      data: () => model.read(name),
    }));
    await writeSafetensors(copy, entries);
    using again = await openSafetensors(copy);
    for (const name of names) {
      assertEquals(again.info(name).dtype, model.info(name).dtype);
      assertEquals(await again.readBytes(name), await model.readBytes(name), name);
    }
    assertEquals(
      [...again.tensors.keys()],
      [...model.tensors.keys()].filter((name) => name !== "flags"),
      "the same order in the file",
    );
  },
});
