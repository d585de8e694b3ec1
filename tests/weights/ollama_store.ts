// A local Ollama's directory for one test.

import { createHash } from "node:crypto";
import { TemporaryDirectory } from "./temporary.ts";

/** A local Ollama's models, laid out as it does; removed after use. */
export class Store extends TemporaryDirectory {
  /** Adds a blob; returns its layer in a manifest. */
  layer(kind: string, contents: string | Uint8Array) {
    const hash = createHash("sha256").update(contents).digest("hex");
    Deno.mkdirSync(`${this.path}/blobs`, { recursive: true });
    this.file(`blobs/sha256-${hash}`, contents);
    const mediaType = `application/vnd.ollama.image.${kind}`;
    return { mediaType, digest: `sha256:${hash}`, size: contents.length };
  }

  /** Writes a manifest: an object, or what stands in its place. */
  manifest(path: string, contents: unknown): string {
    const directory = `${this.path}/manifests/${path.split("/").slice(0, -1).join("/")}`;
    Deno.mkdirSync(directory, { recursive: true });
    return this.file(
      `manifests/${path}`,
      typeof contents === "string" ? contents : JSON.stringify(contents),
    );
  }
}
