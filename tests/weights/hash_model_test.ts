// The hash by which a report says which weights a model had, beside WebCrypto's.

import { assertEquals } from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import { hashModel } from "../../lib/weights/hash_model.ts";
import { resolveModel } from "../../lib/weights/resolve.ts";
import type { ResolvedModel } from "../../lib/weights/resolved.ts";
import { TemporaryDirectory } from "./temporary.ts";

const sha256 = async (text: string) =>
  encodeHex(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
  );

const gguf = (weights: string, more: Partial<ResolvedModel> = {}) =>
  ({ kind: "gguf", spec: weights, source: "file", name: "a", weights, ...more }) as ResolvedModel;

Deno.test("hashModel() is the SHA-256 of a GGUF file, and of one in parts", async () => {
  using folder = new TemporaryDirectory();
  const whole = folder.file("a.gguf", "weights");
  assertEquals(await hashModel(gguf(whole)), await sha256("weights"));
  assertEquals(await hashModel(gguf(whole)), await sha256("weights"));
  // Other weights in the same file are another model.
  await Deno.writeTextFile(whole, "other weights");
  assertEquals(await hashModel(gguf(whole)), await sha256("other weights"));
  const first = folder.file("b-00001-of-00002.gguf", "one");
  folder.file("b-00002-of-00002.gguf", "two");
  assertEquals(await hashModel(gguf(first)), await sha256("onetwo"));
});

Deno.test("hashModel() reads nothing where a name or a commit says what the weights are", async () => {
  const hash = await sha256("weights");
  const blob = gguf(`/none/blobs/sha256-${hash}`, { source: "ollama" });
  assertEquals(await hashModel(blob), hash);
  assertEquals(await hashModel(gguf("/none/a.gguf", { source: "hub", commit: "abc" })), undefined);
});

Deno.test("hashModel() is the SHA-256 of a folder's safetensors", async () => {
  const nano = await resolveModel("nano");
  const bytes = await Deno.readFile(nano.weights);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  assertEquals(await hashModel(nano), encodeHex(digest));
});
