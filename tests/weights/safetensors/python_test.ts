// Against the format's own library: each reads what the other wrote, and the bytes are equal.

import { assertEquals } from "@std/assert";
import { openSafetensors } from "../../../lib/weights/safetensors/read.ts";
import { writeSafetensors } from "../../../lib/weights/safetensors/write.ts";
import { findPython } from "../python.ts";
import { TemporaryDirectory } from "../temporary.ts";

const python = findPython({
  numpy: "numpy",
  safetensors: "safetensors",
  ml_dtypes: "ml_dtypes",
});

/** Values that exercise rounding: fractions, subnormals, ties, both signs. */
const VALUES = Float32Array.from(
  { length: 3 * 1000 },
  (_, i) => Math.sin(i) * 10 ** ((i % 13) - 8),
);

// The same three tensors, rounded by numpy.
const THEIRS = `
import sys, numpy as np, ml_dtypes
from safetensors.numpy import save_file
values = np.fromfile(sys.argv[1], dtype="<f4").reshape(3, 1000)
save_file({
    "z.single": values,
    "half": values.astype(np.float16),
    "brain": values.astype(ml_dtypes.bfloat16),
    "a.scalar": np.array(2.5, np.float32),
    "empty": np.zeros((0, 7), np.float32),
    "flags": np.array([True, False]),
}, sys.argv[2], metadata={"format": "pt"})
`;

const CHECK = `
import sys, numpy as np, ml_dtypes
from safetensors.numpy import load_file
from safetensors import safe_open
values = np.fromfile(sys.argv[1], dtype="<f4").reshape(3, 1000)
tensors = load_file(sys.argv[2])
assert set(tensors) == {"z.single", "half", "brain", "a.scalar", "empty"}, tensors.keys()
assert tensors["z.single"].tobytes() == values.tobytes()
assert tensors["half"].dtype == np.float16
assert tensors["half"].tobytes() == values.astype(np.float16).tobytes()
assert tensors["brain"].dtype == ml_dtypes.bfloat16
assert tensors["brain"].tobytes() == values.astype(ml_dtypes.bfloat16).tobytes()
assert tensors["a.scalar"].shape == () and tensors["a.scalar"] == 2.5
assert tensors["empty"].shape == (0, 7)
with safe_open(sys.argv[2], "np") as file:
    assert file.metadata() == {"format": "pt", "note": "\\u00e9\\""}, file.metadata()
print("equal")
`;

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
    assertEquals(await python.run(CHECK, values, path), "equal\n");
  },
});

Deno.test({
  name: `openSafetensors() reads what the safetensors library writes${python.needs}`,
  ignore: !python.found,
  fn: async () => {
    using temporary = new TemporaryDirectory();
    const values = temporary.file("values", new Uint8Array(VALUES.buffer));
    const path = temporary.file("theirs.safetensors");
    await python.run(THEIRS, values, path);
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
