// A directory for one test.

/** A directory that is removed after use. */
export class TemporaryDirectory implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "tunebook_weights_" });

  /** Path of a file in the directory, written if contents are given. */
  file(name: string, contents?: Uint8Array | string): string {
    const path = `${this.path}/${name}`;
    if (typeof contents === "string") Deno.writeTextFileSync(path, contents);
    else if (contents !== undefined) Deno.writeFileSync(path, contents);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
