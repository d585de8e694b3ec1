// Types and values of WGSL, and the JavaScript for operations on them. Every value is a list of scalars, its parts; each part is
// a JavaScript name or number.

/** The type of a scalar; `"int"` is WGSL's abstract integer, which converts to the other types. */
export type Scalar = "f32" | "u32" | "i32" | "bool" | "int";

/** A type. */
export type Type =
  | { readonly kind: "scalar"; readonly of: Scalar }
  | { readonly kind: "vector"; readonly of: Scalar; readonly size: number }
  | { readonly kind: "array"; readonly of: Type; readonly count: number }
  | {
    readonly kind: "struct";
    readonly name: string;
    readonly fields: ReadonlyMap<string, Type>;
  };

/** A value. */
export interface Value {
  readonly type: Type;
  readonly parts: readonly string[];
}

/** The type of a scalar. */
export const scalar = (of: Scalar): Type => ({ kind: "scalar", of });

/** The number of scalars in a value of a type. */
export function widthOf(type: Type): number {
  switch (type.kind) {
    case "scalar":
      return 1;
    case "vector":
      return type.size;
    case "array":
      return type.count * widthOf(type.of);
    case "struct":
      return [...type.fields.values()].reduce((sum, field) => sum + widthOf(field), 0);
  }
}

/** The types of a value's scalars, in order. */
export function scalarsOf(type: Type): Scalar[] {
  switch (type.kind) {
    case "scalar":
      return [type.of];
    case "vector":
      return Array(type.size).fill(type.of);
    case "array":
      return scalarsOf(type.of); // all elements have one type
    case "struct":
      return [...type.fields.values()].flatMap(scalarsOf);
  }
}

/** The one type of all scalars of a type, which memory must have. */
export function scalarInMemory(type: Type): Exclude<Scalar, "int" | "bool"> {
  const [first, ...others] = new Set(scalarsOf(type));
  if (others.length > 0 || first === "bool" || first === "int") {
    throw new SyntaxError(`Cannot translate memory of ${[first, ...others].join(" and ")}`);
  }
  return first;
}

/** The zero value of a type. */
export function zero(type: Type): Value {
  return {
    type,
    parts: scalarsOf(type).map((of) => of === "bool" ? "false" : "0"),
  };
}

/** JavaScript for an operation on two scalars of a type. */
export function operate(operator: string, of: Scalar, a: string, b: string): string {
  if (["==", "!="].includes(operator)) return `${a} ${operator}= ${b}`;
  if (["<", ">", "<=", ">="].includes(operator)) return `${a} ${operator} ${b}`;
  if (of === "bool") return `${a} ${operator} ${b} ? true : false`;
  if (of === "f32") return `Math.fround(${a} ${operator} ${b})`;
  const wrap = (code: string) => of === "u32" ? `(${code}) >>> 0` : `(${code}) | 0`;
  switch (operator) {
    case "*":
      return wrap(`Math.imul(${a}, ${b})`);
    case "/":
      return `${b} === 0 ? ${a} : ${wrap(`${a} / ${b}`)}`;
    case "%":
      return `${b} === 0 ? 0 : ${a} % ${b}`;
    case "<<":
      return wrap(`${a} << (${b} & 31)`);
    case ">>":
      return of === "u32" ? `${a} >>> (${b} & 31)` : `${a} >> (${b} & 31)`;
    default:
      return wrap(`${a} ${operator} ${b}`);
  }
}

/** JavaScript that converts a scalar from one type to another. */
export function convert(code: string, from: Scalar, to: Scalar): string {
  if (from === to) return code;
  if (to === "bool") return `${code} !== 0`;
  if (to === "f32") return `Math.fround(+${code})`;
  const least = to === "u32" ? 0 : -(2 ** 31);
  const most = to === "u32" ? 2 ** 32 - 1 : 2 ** 31 - 1;
  if (from === "f32") return `Math.trunc(Math.min(Math.max(${code}, ${least}), ${most}))`;
  return to === "u32" ? `${code} >>> 0` : `${code} | 0`;
}

/** Built-in functions of scalars, applied to each part. */
export const BY_PART: Readonly<Record<string, (...parts: string[]) => string>> = {
  abs: (x) => `Math.abs(${x})`,
  clamp: (x, low, high) => `Math.min(Math.max(${x}, ${low}), ${high})`,
  exp: (x) => `Math.fround(Math.exp(${x}))`,
  floor: (x) => `Math.floor(${x})`,
  fma: (a, b, c) => `Math.fround(${a} * ${b} + ${c})`,
  inverseSqrt: (x) => `Math.fround(1 / Math.sqrt(${x}))`,
  log: (x) => `Math.fround(Math.log(${x}))`,
  max: (a, b) => `Math.max(${a}, ${b})`,
  min: (a, b) => `Math.min(${a}, ${b})`,
  pow: (a, b) => `Math.fround(Math.pow(${a}, ${b}))`,
  sign: (x) => `Math.sign(${x})`,
  sqrt: (x) => `Math.fround(Math.sqrt(${x}))`,
  tanh: (x) => `Math.fround(Math.tanh(${x}))`,
};
