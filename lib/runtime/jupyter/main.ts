// The program that the kernelspec starts: `main.ts --conn FILE [--strict]`.

import { Kernel } from "../kernel.ts";
import { parseConnectionInfo } from "./channels.ts";
import { JupyterKernel } from "./kernel.ts";
import { notebookPlace } from "./place.ts";

const usage = "usage: main.ts --conn <connection file> [--strict]";

/** Serves a kernel until it is shut down. */
async function main(args: string[]): Promise<number> {
  const file = args[args.indexOf("--conn") + 1];
  if (!args.includes("--conn") || file === undefined) {
    console.error(usage);
    return 2;
  }
  const info = parseConnectionInfo(await Deno.readTextFile(file));
  const place = notebookPlace(Deno.env.toObject(), Deno.cwd());
  // Starting the real kernel takes longest, so everything else loads meanwhile.
  const real = Kernel.start({ cwd: place.cwd });
  real.catch(() => {}); // The session reports the error.
  const kernel = new JupyterKernel(info, {
    strict: args.includes("--strict"),
    start: async (hooks) => {
      const { Session } = await import("../session.ts");
      return await Session.start({ ...place, ...hooks, kernel: real, collectRecords: true });
    },
    notes: async (hooks) => {
      const { Notes } = await import("./notes.ts");
      return new Notes({ ...hooks, cwd: place.cwd });
    },
  });
  // A client without message-based interrupts sends the signal, to the whole process group.
  Deno.addSignalListener("SIGINT", () => kernel.interrupt());
  if (Deno.build.os !== "windows") {
    Deno.addSignalListener("SIGTERM", () => void kernel.shutdown());
  }
  endWithClient(kernel);
  await kernel.ended;
  return 0;
}

/** A client that is killed cannot send a shutdown request. */
function endWithClient(kernel: JupyterKernel) {
  if (Deno.env.get("JPY_PARENT_PID") === undefined || Deno.build.os === "windows") return;
  const parent = Deno.ppid;
  const timer = setInterval(() => {
    if (Deno.ppid !== parent) kernel.shutdown();
  }, 1000);
  kernel.ended.then(() => clearInterval(timer));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
