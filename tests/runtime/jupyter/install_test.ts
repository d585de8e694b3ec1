// Kernelspecs: installed, listed, removed; where a notebook lies; connection files.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { installKernel, listKernels, removeKernel } from "../../../lib/runtime/jupyter/install.ts";
import { notebookPlace } from "../../../lib/runtime/jupyter/place.ts";
import { parseConnectionInfo } from "../../../lib/runtime/jupyter/channels.ts";
import { tunebook } from "../../cli/tunebook.ts";

async function inFolder(test: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("installKernel(), listKernels() and removeKernel() leave other kernels alone", () =>
  inFolder(async (prefix) => {
    const kernels = join(prefix, "share", "jupyter", "kernels");
    await Deno.mkdir(join(kernels, "deno"), { recursive: true });
    await Deno.writeTextFile(join(kernels, "deno", "kernel.json"), '{ "display_name": "Deno" }');
    assertEquals(await listKernels(prefix), []);
    const installed = await installKernel({ prefix });
    const strict = await installKernel({ prefix, name: "tunebook-strict", strict: true });
    assertEquals(await listKernels(prefix), [installed, strict]);
    const spec = JSON.parse(await Deno.readTextFile(join(installed.folder, "kernel.json")));
    assertEquals(
      [spec.display_name, spec.language, spec.interrupt_mode],
      ["Deno (Tunebook)", "typescript", "message"],
    );
    assertEquals(spec.argv.slice(-2), ["--conn", "{connection_file}"]);
    await assertRejects(
      () => removeKernel({ prefix, name: "deno" }),
      Error,
      "not one of Tunebook's",
    );
    await removeKernel({ prefix });
    assertEquals(await listKernels(prefix), [strict]);
    await assertRejects(() => installKernel({ prefix, name: "A b" }), RangeError, "lower-case");
  }));

Deno.test("tunebook kernel installs, lists and removes", () =>
  inFolder(async (prefix) => {
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await tunebook(["kernel", ...args, "--prefix", prefix]);
      return [code, stdout + stderr];
    };
    const folder = join(prefix, "share", "jupyter", "kernels", "tunebook");
    assertEquals(await run("install"), [
      0,
      `Installed the kernel "Deno (Tunebook)" in ${folder}\n`,
    ]);
    assertEquals(await run("list"), [0, `tunebook\tDeno (Tunebook)\t${folder}\n`]);
    assertEquals((await run("remove"))[0], 0);
    assertEquals((await run("remove"))[0], 1);
  }));

Deno.test("notebookPlace() takes the notebook's folder from what the server says", () =>
  inFolder(async (folder) => {
    const path = join(folder, "book.ipynb");
    const env = { JPY_SESSION_NAME: path };
    assertEquals(notebookPlace(env, "/"), { cwd: folder, path });
    // Relative to a folder that is not known: the client's working directory is the notebook's.
    const named = { JPY_SESSION_NAME: "some/where/book.ipynb" };
    assertEquals(notebookPlace(named, folder), { cwd: folder, path });
    assertEquals(notebookPlace({}, folder), { cwd: folder });
    assertEquals(notebookPlace({ JPY_SESSION_NAME: "a console" }, folder), { cwd: folder });
    await Promise.resolve();
  }));

Deno.test("parseConnectionInfo() says what is wrong with a connection file", () => {
  const good = {
    transport: "tcp",
    ip: "127.0.0.1",
    key: "k",
    signature_scheme: "hmac-sha256",
    shell_port: 1,
    control_port: 2,
    iopub_port: 3,
    stdin_port: 4,
    hb_port: 5,
  };
  assertEquals(parseConnectionInfo(JSON.stringify(good)).hb_port, 5);
  const wrong: [Record<string, unknown>, string][] = [
    [{ transport: "udp" }, 'expected "transport" to be "tcp" or "ipc", got "udp"'],
    [{ ip: undefined }, 'expected "ip" to be a string'],
    [{ signature_scheme: "hmac-md5" }, 'got "hmac-md5"'],
    [{ shell_port: 70000 }, 'expected "shell_port" to be a port, got 70000'],
  ];
  for (const [change, message] of wrong) {
    const text = JSON.stringify({ ...good, ...change });
    assertThrows(() => parseConnectionInfo(text), SyntaxError, message);
  }
  assertThrows(() => parseConnectionInfo("{"), SyntaxError, "Cannot read connection file");
});
