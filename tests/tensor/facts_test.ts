// What decides the bits of a device's results is among its facts.

import { assertEquals } from "@std/assert";
import { blasVariables } from "../../lib/blas_variables.ts";
import { findBlas } from "../../lib/tensor/cpu/blas/find.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { describeDifferences } from "../../lib/tensor/facts.ts";
import { blasNeed } from "../devices.ts";

const cpuInfo = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");

Deno.test({
  name: `a CPU device names its BLAS, the kernels that it takes, and the variables that it reads${
    blasNeed ? ` (${blasNeed})` : ""
  }`,
  ignore: blasNeed !== undefined,
  fn() {
    const device = new CpuDevice({ threads: 1 });
    const { used } = findBlas();
    const { device: kind, threads, fusedMultiplyAdd: _, ...blas } = device.facts;
    assertEquals([kind, threads], ["cpu", 1]);
    assertEquals(blas, {
      blas: used!.name,
      ...(used!.core && { blasCore: used!.core }),
      ...blasVariables(),
    });
    device.close();
  },
});

Deno.test("a CPU device without a BLAS names no variables that it does not read", () => {
  const device = new CpuDevice({ threads: 1, blas: false });
  const { fusedMultiplyAdd, ...facts } = device.facts;
  assertEquals(facts, { device: "cpu", threads: 1, blas: "none" });
  if (cpuInfo.includes("flags")) assertEquals(fusedMultiplyAdd, / fma( |$)/m.test(cpuInfo));
  device.close();
});

Deno.test("blasVariables() takes those of OpenBLAS, MKL, BLIS, oneDNN and OpenMP, sorted", () => {
  const names = ["OMP", "MKL", "OPENBLAS", "BLIS", "ONEDNN", "XMKL"].map((name) => `${name}_TEST`);
  try {
    for (const name of names) Deno.env.set(name, "1");
    const found = Object.keys(blasVariables()).filter((name) => name.endsWith("TEST"));
    assertEquals(found, ["BLIS_TEST", "MKL_TEST", "OMP_TEST", "ONEDNN_TEST", "OPENBLAS_TEST"]);
  } finally {
    for (const name of names) Deno.env.delete(name);
  }
});

Deno.test("describeDifferences() names each fact with its recorded and its present value", () => {
  assertEquals(
    describeDifferences(
      { blas: "OpenBLAS", blasCore: "Haswell", OPENBLAS_CORETYPE: "Haswell", threads: 2 },
      { blas: "OpenBLAS", blasCore: "SkylakeX", threads: 2, OMP_NUM_THREADS: "1" },
    ),
    [
      'blasCore was "Haswell", is "SkylakeX"',
      'OPENBLAS_CORETYPE was "Haswell", is not set',
      'OMP_NUM_THREADS was not set, is "1"',
    ],
  );
});
