// Runs the tunebook command and prints the most memory, in bytes, that Linux counted for the process:
//
//     deno run -A tests/cli/peak.ts train --model nano --data data.json --out model

import { main } from "../../lib/cli.ts";

const code = await main(Deno.args);
const status = await Deno.readTextFile("/proc/self/status");
console.log(1024 * Number(/VmHWM:\s*(\d+) kB/.exec(status)![1]));
Deno.exit(code);
