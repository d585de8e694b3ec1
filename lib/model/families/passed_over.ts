/**
 * Settings of a configuration that would change the numbers of another family's models: they are named where a family passes over
 * them.
 *
 * @module
 */

/** Each setting, and whether a value of it leaves a model as it is. */
const SETTINGS: Readonly<Record<string, (value: unknown, json: Config) => boolean>> = {
  attention_bias: (value) => value === false,
  mlp_bias: (value) => value === false,
  use_bias: (value) => value === false,
  use_qk_norm: (value) => value === false,
  clip_qkv: () => false,
  attn_logit_softcapping: () => false,
  final_logit_softcapping: () => false,
  query_pre_attn_scalar: () => false,
  logit_scale: (value) => value === 1,
  logits_scaling: (value) => value === 1,
  attention_multiplier: (value) => value === 1,
  embedding_multiplier: (value) => value === 1,
  residual_multiplier: (value) => value === 1,
  no_rope_layers: (value) => !Array.isArray(value) || value.every((turns) => turns === 1),
  layer_types: (value) => !Array.isArray(value) || value.every((type) => type === "full_attention"),
  sliding_window: (_, json) => json.use_sliding_window === false,
};

type Config = Readonly<Record<string, unknown>>;

/**
 * Watches which keys of a configuration are read.
 *
 * @param json The `config.json`.
 * @returns The same object, and a function that gives the settings that change numbers but were not read.
 */
export function watchSettings<T extends Config>(
  json: T,
): { watched: T; passedOver: () => string[] } {
  const read = new Set<PropertyKey>();
  const watched = new Proxy(json, {
    get(target, key) {
      read.add(key);
      return Reflect.get(target, key);
    },
  });
  const isPassedOver = ([key, isNeutral]: [string, typeof SETTINGS[string]]) =>
    json[key] != null && !read.has(key) && !isNeutral(json[key], json);
  return {
    watched,
    passedOver: () => Object.entries(SETTINGS).filter(isPassedOver).map(([key]) => key),
  };
}
