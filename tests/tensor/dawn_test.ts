// Every operation gives on Dawn, Chromium's WebGPU, what it gives on the CPU: Dawn has another compiler than Deno, and takes
// other drivers.

import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { OPERATION_CHECKS } from "../../lib/tensor/operation_checks.ts";
import { FAST } from "../support.ts";
import { DAWN_NEED, runWithDawn } from "./dawn.ts";

const PROGRAM = "./dawn_operations.ts";
const config = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** Variables that may lead Dawn to a Vulkan driver: none, and those for SwiftShader, which comes with Chromium. */
function driverVariables(): Record<string, string>[] {
  const chromium = Deno.env.get("TUNEBOOK_CHROMIUM") ?? "/usr/bin/chromium";
  const folders = [dirname(chromium), "/usr/lib/chromium"];
  const drivers = folders.map((folder) => join(folder, "vk_swiftshader_icd.json"));
  const present = drivers.filter((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
  return [{}, ...present.map((path) => ({ VK_ICD_FILENAMES: path }))];
}

/** The first driver that Dawn takes, or why there is none. */
async function findDriver(): Promise<{ env?: Record<string, string>; need: string }> {
  if (FAST) return { need: "left out of test:fast" };
  for (const env of driverVariables()) {
    const found = await runWithDawn<{ adapter: string } | null>(PROGRAM, {
      ...{ config, env, args: ["look"] },
    });
    if (found === undefined) return { need: DAWN_NEED };
    if (found) return { env, need: "" };
  }
  return {
    need: "needs a Vulkan driver that Dawn takes, such as Chromium's: apt-get install chromium",
  };
}

const { env, need } = await findDriver();

Deno.test({
  name: `every operation on Dawn agrees with the CPU${need && ` (${need})`}`,
  ignore: env === undefined,
  async fn() {
    const found = await runWithDawn<{ compared: number; wrong: string[] }>(PROGRAM, {
      ...{ config, env },
    });
    assertEquals(found?.wrong, []);
    assertEquals(found?.compared, OPERATION_CHECKS.length);
  },
});
