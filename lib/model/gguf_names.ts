/**
 * Names and forms of a model's parameters in a GGUF file, for reading and writing.
 *
 * Names here are those of {@linkcode Network.parameters}.
 *
 * @module
 */

import { familyOfGguf, GGUF_ARCHITECTURES } from "./families/mod.ts";
import type { GgufForm } from "./gguf_forms.ts";

/** A parameter's place in a GGUF file. */
export interface GgufPlace {
  /** The tensor's name there, such as `"blk.0.attn_q.weight"`. */
  readonly name: string;
  /** How it differs. */
  readonly form: GgufForm;
}

/** The properties that names depend on. */
export interface GgufNaming {
  /** The model's architecture, which is `general.architecture` of the file. */
  readonly architecture: string;
  /** Heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values. */
  readonly kvHeads: number;
}

/**
 * The name and form of a parameter in a GGUF file.
 *
 * @param parameter Its name, such as `"layers.0.self_attn.q_proj.weight"`.
 * @param naming Architecture and heads.
 * @returns Name and form in the file.
 * @throws {TypeError} If the architecture or the parameter has no place in such a file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ggufPlace } from "./gguf_names.ts";
 *
 * const naming = { architecture: "llama", heads: 9, kvHeads: 3 };
 * assertEquals(ggufPlace("layers.7.self_attn.k_proj.weight", naming), {
 *   name: "blk.7.attn_k.weight",
 *   form: { kind: "paired", heads: 3 },
 * });
 * ```
 */
export function ggufPlace(parameter: string, naming: GgufNaming): GgufPlace {
  const { architecture } = naming;
  const [, block, module = "", part] = /^(?:(?:h|layers)\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(
    parameter,
  ) ?? [];
  const { names = {}, formOf } = familyOfGguf(architecture)?.gguf ?? {};
  if (!Object.hasOwn(names, module)) {
    throw new TypeError(
      `Cannot place "${parameter}" of the architecture "${architecture}" in a GGUF file: ` +
        `known are ${GGUF_ARCHITECTURES.map((name) => `"${name}"`).join(", ")}`,
    );
  }
  return {
    name: `${block === undefined ? "" : `blk.${block}.`}${names[module]}.${part}`,
    form: formOf?.(module, part as "weight" | "bias", naming) ?? { kind: "same" },
  };
}
