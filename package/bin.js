#!/usr/bin/env node
// The command `tunebook`, as npm installs it. Under Deno it runs the command at once; Node looks for a
// Deno first: the one on the PATH, if it is new enough, else the one that npm installed with this package.

if (globalThis.Deno?.version?.deno !== undefined) {
  const { main } = await import("../lib/cli.js");
  Deno.exit(await main(Deno.args));
} else {
  const { spawn, spawnSync } = await import("node:child_process");
  const { existsSync, readFileSync } = await import("node:fs");
  const { createRequire } = await import("node:module");
  const { constants } = await import("node:os");
  const { delimiter, dirname, join } = await import("node:path");
  const { fileURLToPath } = await import("node:url");

  const { optionalDependencies } = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  );
  const [wanted] = Object.values(optionalDependencies);
  const name = process.platform === "win32" ? "deno.exe" : "deno";

  /** Whether a version has the first two numbers at least. */
  const isNewEnough = (version) => {
    const [major, minor] = version.split(".").map(Number);
    const [wantedMajor, wantedMinor] = wanted.split(".").map(Number);
    return major === wantedMajor && minor >= wantedMinor;
  };

  const onPath = () => {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, name);
      // npx puts the package's own launcher there, a script that starts Node again.
      if (folder === "" || folder.includes("node_modules") || !existsSync(path)) continue;
      const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
      const version = /^deno (\S+)/.exec(stdout ?? "")?.[1];
      if (version !== undefined && isNewEnough(version)) return path;
    }
  };

  /** The program in the one of Deno's packages that is for this system. */
  const installed = () => {
    const require = createRequire(import.meta.url);
    for (const system of Object.keys(optionalDependencies)) {
      try {
        const path = join(dirname(require.resolve(`${system}/package.json`)), name);
        if (spawnSync(path, ["--version"]).status === 0) return path;
      } catch {
        // It is another system's, or was left out of the installation.
      }
    }
  };

  const deno = onPath() ?? installed();
  if (deno === undefined) {
    console.error(
      `error: Cannot find Deno ${wanted}: install it (https://deno.com), or Tunebook with its optional dependencies`,
    );
    process.exit(1);
  }
  const command = fileURLToPath(new URL("../lib/cli.js", import.meta.url));
  const child = spawn(
    deno,
    [
      "run",
      "--quiet",
      "--allow-all",
      "--no-config",
      "--no-lock",
      command,
      ...process.argv.slice(2),
    ],
    { stdio: "inherit" },
  );
  // A terminal sends Ctrl-C to both; who sends a signal to this process alone means the command.
  const terminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !terminal) child.kill(signal);
    });
  }
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
  child.on("error", (error) => {
    console.error(`error: Cannot start "${deno}": ${error.message}`);
    process.exit(1);
  });
}
