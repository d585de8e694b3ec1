/**
 * `deno task package`: builds what is published. `out/package/tunebook-VERSION.tgz` is npm's, its
 * contents lie beside it in `npm/`; `jsr/` is what `deno publish` takes. docs/versions.md says how a
 * version is published.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import { packageForJsr } from "./jsr.ts";
import { packageForNpm } from "./npm.ts";

if (import.meta.main) {
  const out = join(fromFileUrl(new URL("../out/package", import.meta.url)));
  await Deno.remove(out, { recursive: true }).catch(() => {});
  await Deno.mkdir(out, { recursive: true });
  const size = async (path: string) => `${((await Deno.stat(path)).size / 1e6).toFixed(1)} MB`;
  const archive = await packageForNpm(out);
  console.log(`Wrote ${archive} (${await size(archive)})`);
  const { folder, bytes } = await packageForJsr(out);
  console.log(`Wrote ${folder} (${(bytes / 1e6).toFixed(1)} MB)`);
}
