// How the kernel describes itself.

import config from "../../../deno.json" with { type: "json" };

/** The content of a `kernel_info_reply`. */
export function kernelInfo(): Record<string, unknown> {
  return {
    status: "ok",
    protocol_version: "5.3",
    implementation: "tunebook",
    implementation_version: config.version,
    language_info: {
      name: "typescript",
      version: Deno.version.typescript,
      mimetype: "text/x.typescript",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      codemirror_mode: "typescript",
      nbconvert_exporter: "script",
    },
    banner: `Tunebook ${config.version}: TypeScript on Deno ${Deno.version.deno}`,
    help_links: [
      { text: "Deno", url: "https://docs.deno.com/runtime/" },
      { text: "TypeScript", url: "https://www.typescriptlang.org/docs/" },
    ],
    debugger: false,
  };
}
