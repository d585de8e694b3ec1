// `tunebook kernel`: installs the Jupyter kernel "Deno (Tunebook)", lists and removes it.

import { toFileUrl } from "@std/path/to-file-url";
import type { Command } from "commander";
import {
  installKernel,
  KERNEL_NAME,
  kernelsFolder,
  listKernels,
  removeKernel,
} from "../runtime/jupyter/install.ts";
import { LIBRARY, VERSION } from "../runtime/library.ts";

interface PlaceOptions {
  prefix?: string;
}

interface InstallOptions extends PlaceOptions {
  name?: string;
  displayName?: string;
  strict: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const kernel = program.command("kernel")
    .summary("install, list and remove the Jupyter kernel Deno (Tunebook)")
    .description(
      "A Jupyter kernel that runs cells on the real Deno kernel without losing anything: every " +
        "output under its cell, errors with their line, a stop that keeps the state, completion and " +
        "type errors from Deno's language server. For JupyterLab, VS Code, nbconvert, papermill.",
    );
  const place = (command: Command) =>
    command
      .option("--user", "in the user's own folder, which is the default")
      .option("--prefix <folder>", "under <folder>/share/jupyter, as for a Python environment");
  place(
    kernel.command("install")
      .summary("install the kernel for Jupyter clients")
      .description(
        "Writes the kernelspec for Jupyter clients; an existing one is replaced. The kernel " +
          "of an installed package runs a copy of the package, which stays when caches are emptied; " +
          "install it again after an upgrade.",
      ),
  )
    .option("--name <name>", `the kernel's name (default: "${KERNEL_NAME}")`)
    .option("--display-name <text>", "the display name")
    .option("--strict", "refuse cells with type errors", false)
    .action(async (options: InstallOptions) => {
      const name = options.name ?? (options.strict ? `${KERNEL_NAME}-strict` : KERNEL_NAME);
      const { displayName, folder, library } = await installKernel({ ...options, name });
      console.error(`Installed the kernel "${displayName}" in ${folder}`);
      if (library !== undefined && toFileUrl(`${library}/`).href !== LIBRARY.href) {
        console.error(`It runs a copy of Tunebook ${VERSION}, in ${library}`);
      }
    });
  place(
    kernel.command("list").summary("list the installed kernels").description(
      "Lists Tunebook's kernels: name, display name, folder.",
    ),
  )
    .action(async ({ prefix }: PlaceOptions) => {
      const kernels = await listKernels(prefix);
      for (const { name, displayName, folder } of kernels) {
        console.log(`${name}\t${displayName}\t${folder}`);
      }
      if (kernels.length === 0) {
        console.error(`No kernel of Tunebook's in ${kernelsFolder(prefix)}`);
      }
    });
  place(
    kernel.command("remove").summary("remove an installed kernel").description(
      "Removes a kernelspec of Tunebook; those of other programs are not touched.",
    ),
  )
    .option("--name <name>", "the kernel's name", KERNEL_NAME)
    .action(async ({ prefix, name }: PlaceOptions & { name: string }) => {
      const { displayName, folder } = await removeKernel({ prefix, name });
      console.error(`Removed the kernel "${displayName}" from ${folder}`);
    });
}
