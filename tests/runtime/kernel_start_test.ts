// A kernel starts on ports that were free a moment ago, and another program may have taken one.

import { assertEquals, assertRejects } from "@std/assert";
import { Kernel } from "../../lib/runtime/kernel.ts";

/** A kernel that takes its first port, closes each connection, and ends as if the port were taken. */
const BEATEN = `
  const { shell_port: port } = JSON.parse(Deno.readTextFileSync(Deno.args[0]));
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  (await listener.accept()).close();
  console.error("AddrInUse: Address already in use (os error 98)");
  Deno.exit(1);
`;

/** Starts a kernel that is beaten to a port some times first; says how often it was started. */
async function startBeaten(times: number): Promise<number> {
  let starts = 0;
  const script = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(script, BEATEN);
    const kernel = await Kernel.start({
      launcher: (plain) =>
        ++starts > times
          ? plain
          : { ...plain, args: ["run", "-A", "--no-config", script, plain.args.at(-1)!] },
    });
    kernel.kill();
    await kernel.exited;
    return starts;
  } finally {
    await Deno.remove(script);
  }
}

Deno.test("Kernel.start() takes other ports where another program was faster", async () => {
  assertEquals(await startBeaten(2), 3);
});

Deno.test("Kernel.start() gives up where that happens three times", async () => {
  await assertRejects(() => startBeaten(3), Error, "Address already in use");
});
