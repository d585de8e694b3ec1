/**
 * A file that is open for reading by position.
 *
 * @module
 */

import { closeSync, fstat, open, read, readSync } from "node:fs";
import { promisify } from "node:util";
import { assertNoPointer, LARGEST_POINTER } from "./git_lfs.ts";

/** A single read must stay below 2 GiB. */
const LARGEST_READ = 1 << 30;

const openAsync = promisify(open);
const readAsync = promisify(read);
const fstatAsync = promisify(fstat);

/** An open file; errors of its positional reads name the file. */
export class Source {
  #fd: number | undefined;
  private constructor(readonly path: string, readonly size: number, fd: number) {
    this.#fd = fd;
  }

  /**
   * Opens a regular file.
   *
   * @throws {Deno.errors.NotFound} If the file does not exist
   * @throws {TypeError} If it is a directory, pipe or device
   * @throws {SyntaxError} If Git LFS has not fetched it
   */
  static async open(path: string): Promise<Source> {
    // Opening a named pipe would wait for a writer, so the kind is checked first.
    let info: Deno.FileInfo;
    try {
      info = await Deno.stat(path);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) {
        throw new Deno.errors.NotFound(`Cannot open "${path}": there is no such file`, { cause });
      }
      throw cause;
    }
    if (!info.isFile) throw new TypeError(`Cannot open "${path}": it is not a regular file`);
    const fd = await openAsync(path, "r") as number;
    const source = new Source(path, (await fstatAsync(fd)).size, fd);
    if (source.size < LARGEST_POINTER) await source.#assertNoPointer();
    return source;
  }

  async #assertNoPointer(): Promise<void> {
    const bytes = new Uint8Array(this.size);
    await this.fill(bytes, 0);
    try {
      assertNoPointer(bytes, this.path);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Fills `bytes`, which may be in shared memory, with the file's content from `position`.
   *
   * @throws {SyntaxError} If the file ends too early
   * @throws {Error} If it was closed
   */
  async fill(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(bytes.length - done, LARGEST_READ);
      const at = position + done;
      const { bytesRead } = await readAsync(this.#handle(), bytes, done, length, at);
      if (bytesRead === 0) throw this.#shortened(at);
      done += bytesRead;
    }
  }

  /** Synchronous {@linkcode fill}, for the small parts of a header. */
  fillSync(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) {
      const at = position + done;
      const bytesRead = readSync(this.#handle(), bytes, done, bytes.length - done, at);
      if (bytesRead === 0) throw this.#shortened(at);
      done += bytesRead;
    }
  }

  #handle(): number {
    if (this.#fd === undefined) throw new Error(`Cannot read "${this.path}": it was closed`);
    return this.#fd;
  }

  #shortened(end: number): SyntaxError {
    return new SyntaxError(
      `Cannot read "${this.path}": it ends after ${end} bytes and had ${this.size}`,
    );
  }

  /** Closes the file. Closing again has no effect. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
