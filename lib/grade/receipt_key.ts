/**
 * The course's key pair, with which it signs receipts: `receipt_key.json`, which nobody else may read, and
 * `receipt_key.public.json`, by which anybody can check them.
 *
 * @module
 */

import { join } from "@std/path/join";
import { writeFileBeside } from "../write_beside.ts";

const [PRIVATE, PUBLIC] = ["receipt_key.json", "receipt_key.public.json"];

/**
 * The private key of a course.
 *
 * @param root The course's folder. A key pair is made where there is none.
 * @returns The key, for signing.
 * @throws {SyntaxError} If the file holds no such key.
 */
export async function privateKey(root: string): Promise<CryptoKey> {
  const path = join(root, PRIVATE);
  const text = await readIfThere(path) ?? await makeKey(path);
  const key = await importKey(text, path, "sign");
  const open = join(root, PUBLIC);
  if (await readIfThere(open) === undefined) {
    const { kty, crv, x } = JSON.parse(text);
    await writeFileBeside(open, `${JSON.stringify({ kty, crv, x })}\n`);
  }
  return key;
}

/** Makes a key, whole or not at all; one that another process makes at the same time is not replaced. */
async function makeKey(path: string): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const text = `${JSON.stringify(await crypto.subtle.exportKey("jwk", privateKey))}\n`;
  const unfinished = `${path}.${crypto.randomUUID().slice(0, 8)}.unfinished`;
  await Deno.writeTextFile(unfinished, text, { createNew: true, mode: 0o600 });
  try {
    await Deno.link(unfinished, path);
    return text;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return await Deno.readTextFile(path);
  } finally {
    await Deno.remove(unfinished);
  }
}

/**
 * The public key of a course.
 *
 * @param root The course's folder.
 * @returns The key, for checking signatures.
 * @throws {Deno.errors.NotFound} If the course has never signed anything.
 * @throws {SyntaxError} If the file holds no such key.
 */
export async function publicKey(root: string): Promise<CryptoKey> {
  const path = join(root, PUBLIC);
  const kept = await readIfThere(path);
  if (kept === undefined) {
    throw new Deno.errors.NotFound(
      `Cannot check the receipt: there is no "${path}", so this course has signed none`,
    );
  }
  return await importKey(kept, path, "verify");
}

async function importKey(text: string, path: string, use: "sign" | "verify"): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("jwk", JSON.parse(text), "Ed25519", false, [use]);
  } catch (error) {
    throw new SyntaxError(`Cannot read the key "${path}": it holds no Ed25519 key to ${use} with`, {
      cause: error,
    });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
