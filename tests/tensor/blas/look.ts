// For find_test.ts: prints which BLAS this process finds, and the facts of a device that computes with it.

import { findBlas } from "../../../lib/tensor/cpu/blas/find.ts";
import { CpuDevice } from "../../../lib/tensor/cpu/device.ts";

function look() {
  try {
    const limit = Deno.env.get("TUNEBOOK_TEST_TIME_LIMIT");
    const search = findBlas(limit ? { timeLimit: Number(limit) } : {});
    const { name, facts } = new CpuDevice({ threads: 1 });
    return { search, facts, device: name };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

console.log(JSON.stringify(look()));
Deno.exit();
