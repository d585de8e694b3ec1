// `tunebook doctor`: what this machine has, and what to install.

import { Ollama } from "ollama";
import { format } from "@std/fmt/bytes";
import type { Command } from "commander";
import { listCachedModels, listOllamaModels } from "../weights/mod.ts";
import { ollamaHost } from "../weights/ollama_host.ts";
import { IS_CHECKOUT } from "../runtime/library.ts";
import { Session } from "../runtime/session.ts";
import { blasVariables } from "../blas_variables.ts";
import type { BlasLibrary } from "../tensor/cpu/blas/blas.ts";
import { sandboxFault, sandboxGroup } from "../runtime/sandbox/outer.ts";
import { describeGroup } from "../runtime/sandbox/walls.ts";
import { findBlas } from "../tensor/cpu/blas/find.ts";
import { describeAdapters, pick, reasonFor } from "../tensor/pick.ts";
import { jsonOption } from "./arguments.ts";

/** One finding. */
interface Finding {
  /** Its name. */
  name: string;
  /** Whether it is available. */
  ok: boolean;
  /** The finding, in one line. */
  found: string;
  /** What to install or change. */
  advice?: string;
  /** Details for `--json`. */
  details?: unknown;
}

const LOOKS: Readonly<Record<string, () => Finding | Promise<Finding>>> = {
  Machine: describeMachine,
  WebGPU: describeWebGpu,
  BLAS: describeBlas,
  Computes: describeDevice,
  Kernel: describeKernel,
  Sandbox: describeSandbox,
  Jupyter: describeJupyter,
  Ollama: describeOllama,
  Models: describeModels,
};

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("doctor")
    .summary("report what this machine has, and what to install")
    .description(
      "Checks the WebGPU adapter and its limits, the BLAS, the Jupyter kernel, JupyterLab, " +
        "Ollama and its models, and the models on this machine that are ready to use, and suggests " +
        "what to install. A BLAS that takes at least a quarter less time is used from now on; nothing else " +
        "changes. With --gpu it checks the GPU instead, in under three minutes: " +
        "every operation beside the CPU, matrix products beside the peak, a training step, and " +
        "generated tokens.",
    )
    .option("--gpu", "check the GPU; a software adapter if there is none", false)
    .option("--html <file>", "with --gpu, write one page, which opens anywhere, offline")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook doctor\n  tunebook doctor --gpu --html gpu.html",
    )
    .action(examine);
}

async function examine(
  { gpu, html, json }: { gpu: boolean; html?: string; json: boolean },
): Promise<void> {
  if (gpu) {
    const { examineGpu } = await import("./doctor/gpu.ts");
    return await examineGpu({ html, json });
  }
  if (html !== undefined) {
    throw new TypeError('Cannot write a page without "--gpu": the page is that of a checked GPU');
  }
  const findings: Finding[] = [];
  for (const [name, describe] of Object.entries(LOOKS)) {
    try {
      findings.push(await describe());
    } catch (error) { // such as a TUNEBOOK_BLAS that does not load: the other findings are still useful
      findings.push({ name, ok: false, found: (error as Error).message });
    }
  }
  if (json) return console.log(JSON.stringify(findings, null, 2));
  for (const { name, ok, found, advice } of findings) {
    console.log(`${ok ? "✓" : "–"} ${name.padEnd(9)} ${found}`);
    if (advice) console.log(`${" ".repeat(12)}→ ${advice}`);
  }
}

function describeMachine(): Finding {
  const { total, available } = Deno.systemMemoryInfo();
  const cores = navigator.hardwareConcurrency;
  const memory = `${format(available, { binary: true })} free of ${
    format(total, { binary: true })
  }`;
  return {
    name: "Machine",
    ok: true,
    found:
      `Deno ${Deno.version.deno} on ${Deno.build.os} ${Deno.build.arch}, ${cores} cores, ${memory}`,
    details: { deno: Deno.version.deno, target: Deno.build.target, cores, total, available },
  };
}

async function describeWebGpu(): Promise<Finding> {
  const adapters = await describeAdapters();
  if (adapters.length === 0) {
    const advice = Deno.build.os === "linux"
      ? "for a GPU install its Vulkan driver; to try without one: apt-get install mesa-vulkan-drivers"
      : "update the graphics driver";
    return { name: "WebGPU", ok: false, found: "no adapter", advice };
  }
  const found = adapters.map(({ name, software, limits }) =>
    `${name}${software ? " (software, used only when asked for)" : ""}: bindings to ${
      format(limits.maxStorageBufferBindingSize, { binary: true })
    }, buffers to ${format(limits.maxBufferSize, { binary: true })}`
  ).join("; ");
  return { name: "WebGPU", ok: true, found, details: adapters };
}

/**
 * Checks and times libraries again even if an earlier result is known, because users run this when something is
 * wrong, or when they have installed another one.
 */
function describeBlas(): Finding {
  const search = findBlas({ again: true });
  const { used, before, refused, unchecked, slower, timed = [] } = search;
  const details = { used, before, refused, slower, timed, variables: blasVariables() };
  const kernels = ({ name, core }: BlasLibrary) => core ? `${name} with kernels for ${core}` : name;
  const wrong = refused.map((library) =>
    `${kernels(library)} (${library.path}) ${library.fault}${
      library.detail ? `: ${library.detail}` : ""
    }`
  );
  const others = timed.filter(({ path, seconds }) => seconds > 0 && path !== (used?.path ?? ""))
    .map((library) => `${milliseconds(library)} by ${kernels(library)}`);
  if (used) {
    const set = Object.entries(blasVariables()).map(([name, value]) => `${name}=${value}`);
    const own = timed.find(({ path }) => path === used.path);
    const time = own && others.length > 0 ? ` and take ${milliseconds(own)}` : "";
    const found = [
      `${kernels(used)} (${used.path}), its products are right${time}`,
      ...others,
      ...before ? [`chosen now instead of ${kernels(before)} (${before.path})`] : [],
      ...set.length > 0 ? [`${set.join(", ")} set`] : [],
      ...wrong.map((text) => `not used: ${text}`),
    ];
    return { name: "BLAS", ok: true, found: found.join("; "), details };
  }
  const none = "none is used, WebAssembly SIMD computes";
  if (slower) {
    const own = timed.find(({ path }) => path === "");
    const found = [`${none}, since it is faster: ${own && milliseconds(own)}`, ...others];
    return { name: "BLAS", ok: true, found: found.join("; "), details };
  }
  if (unchecked) return { name: "BLAS", ok: false, found: `${none}: ${unchecked}`, details };
  if (Deno.env.get("TUNEBOOK_BLAS") === "none") {
    return {
      name: "BLAS",
      ok: false,
      found: "none, as TUNEBOOK_BLAS says; WebAssembly SIMD computes",
      advice: "several times faster on the CPU: unset TUNEBOOK_BLAS",
      details,
    };
  }
  const install = Deno.build.os === "linux"
    ? "apt-get install libopenblas0-pthread"
    : "install OpenBLAS";
  if (wrong.length > 0) {
    return {
      name: "BLAS",
      ok: false,
      found: `${none}: ${wrong.join("; ")}`,
      advice: `several times faster on the CPU: a newer OpenBLAS, or older kernels in this one, ` +
        "such as by OPENBLAS_CORETYPE=Haswell",
      details,
    };
  }
  return {
    name: "BLAS",
    ok: false,
    found: "none; WebAssembly SIMD computes",
    advice: `several times faster on the CPU: ${install}`,
    details,
  };
}

/** The time of the products of a linear layer. */
function milliseconds({ seconds }: { seconds: number }): string {
  return `${(1000 * seconds).toPrecision(3)} ms`;
}

async function describeDevice(): Promise<Finding> {
  const device = await pick();
  const { name, facts } = device;
  const reason = reasonFor(device);
  device.close();
  const found = `on ${name}${reason ? ` (${reason})` : ""}`;
  return { name: "Computes", ok: true, found, details: { ...facts, reason } };
}

async function describeSandbox(): Promise<Finding> {
  const fault = await sandboxFault();
  const name = "Sandbox";
  if (fault !== undefined) {
    const found = fault.replace(/^Cannot run in a sandbox: /, "none: ");
    return { name, ok: false, found };
  }
  const group = await sandboxGroup();
  return { name, ok: true, found: `can be built; memory: ${describeGroup(group)}` };
}

async function describeKernel(): Promise<Finding> {
  const began = performance.now();
  await using session = await Session.start();
  await session.execute("1 + 1");
  const milliseconds = Math.round(performance.now() - began);
  return {
    name: "Kernel",
    ok: true,
    found: `the Deno Jupyter kernel answers (first result after ${milliseconds} ms)`,
    details: { milliseconds },
  };
}

async function describeJupyter(): Promise<Finding> {
  try {
    const { stdout } = await new Deno.Command("jupyter", { args: ["lab", "--version"] }).output();
    const version = new TextDecoder().decode(stdout).trim();
    if (version) return { name: "Jupyter", ok: true, found: `JupyterLab ${version}` };
  } catch {
    // Not installed, which is reported below.
  }
  return {
    name: "Jupyter",
    ok: false,
    found: "no JupyterLab",
    advice: IS_CHECKOUT
      ? "to step through the course: deno task lab, which installs it if Python is available"
      : "to step through notebooks: pip install jupyterlab, then tunebook kernel install",
  };
}

async function describeOllama(): Promise<Finding> {
  const host = ollamaHost(Deno.env.get("OLLAMA_HOST"));
  try {
    const { models } = await new Ollama({ host }).list();
    const names = models.map(({ name }) => name);
    return {
      name: "Ollama",
      ok: true,
      found: `at ${host}, ${names.length === 0 ? "no models" : names.join(", ")}`,
      advice: names.length === 0 ? "to judge answers: ollama pull llama3" : undefined,
      details: { host, models: names },
    };
  } catch {
    return {
      name: "Ollama",
      ok: false,
      found: `no server at ${host}`,
      advice: "to judge answers: install Ollama, then ollama pull llama3",
    };
  }
}

/** Models on this machine, by the names for `--model`. */
async function describeModels(): Promise<Finding> {
  const [cached, ollama] = await Promise.all([listCachedModels(), listOllamaModels()]);
  const names = [
    ...cached.map((name) => `hf:${name}`),
    ...ollama.map(({ name }) => `ollama:${name}`),
  ];
  const found = names.length === 0
    ? "nano, which comes with Tunebook"
    : `nano, ${names.slice(0, MOST_NAMES).join(", ")}${
      names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : ""
    }`;
  return { name: "Models", ok: true, found, details: { hub: cached, ollama } };
}

/** The number of models that fit on a line; `--json` lists all. */
const MOST_NAMES = 12;
