// Records what views replay, so that they are there at once and on every machine:
// `deno run -A notebooks/traces/make.ts [name …]` writes notebooks/traces/<name>.json.

import { loadEntries } from "tunebook";
import { trainWithLeaks } from "../views/duplicate_leak.ts";

const entries = () =>
  loadEntries(new URL("../../data/instructions/instruction-data.json", import.meta.url).pathname);

/** Rounds, so that files stay small and differ only where something differs. */
const round = (_: string, value: unknown) =>
  typeof value === "number" ? Number(value.toPrecision(5)) : value;

/** Every recording by its name. */
const RECORDINGS: Record<string, () => Promise<unknown>> = {
  async duplicate_leak() {
    const data = await entries();
    const runs = [];
    for (const leaks of [0, 6, 12, 18, 24]) runs.push(await trainWithLeaks(data, leaks));
    return runs;
  },
};

for (const name of Deno.args.length > 0 ? Deno.args : Object.keys(RECORDINGS)) {
  const trace = await RECORDINGS[name]();
  const path = new URL(`./${name}.json`, import.meta.url);
  await Deno.writeTextFile(path, JSON.stringify(trace, round) + "\n");
  console.log(`Recorded ${name}`);
}
Deno.exit(0); // idle threads would keep the process
