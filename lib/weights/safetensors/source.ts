/**
 * A safetensors file that is open for reading by position.
 *
 * @module
 */

import { closeSync, fstat, open, read } from "node:fs";
import { promisify } from "node:util";
import { type Header, HEADER_START, headerLength, parseHeader } from "./header.ts";

/** A single read must stay below 2 GiB. */
const LARGEST_READ = 1 << 30;

const openAsync = promisify(open);
const readAsync = promisify(read);
const fstatAsync = promisify(fstat);

/** An open file whose positional reads say which file failed. */
export class Source {
  #fd: number | undefined;
  private constructor(readonly path: string, readonly size: number, fd: number) {
    this.#fd = fd;
  }

  /**
   * Opens a regular file.
   *
   * @throws {Deno.errors.NotFound} If there is none
   * @throws {TypeError} If it is a directory, pipe or device
   */
  static async open(path: string): Promise<Source> {
    // Opening a named pipe would wait for a writer, so the kind is looked at first.
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
    return new Source(path, (await fstatAsync(fd)).size, fd);
  }

  /** Fills `bytes` from `position` on. */
  async fill(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      if (this.#fd === undefined) throw new Error(`Cannot read "${this.path}": it was closed`);
      const { bytesRead } = await readAsync(
        this.#fd,
        bytes,
        done,
        Math.min(bytes.length - done, LARGEST_READ),
        position + done,
      );
      if (bytesRead === 0) {
        throw new SyntaxError(
          `Cannot read "${this.path}": it ends after ${position + done} bytes and had ${this.size}`,
        );
      }
      done += bytesRead;
    }
  }

  /** Reads and checks the header. */
  async header(): Promise<Header> {
    const start = new Uint8Array(Math.min(HEADER_START, this.size));
    await this.fill(start, 0);
    const json = new Uint8Array(headerLength(start, this.size, this.path));
    await this.fill(json, HEADER_START);
    return parseHeader(json, this.size, this.path);
  }

  /** Closes the file; again does nothing. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
