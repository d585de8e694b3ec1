// Translates compute kernels from WGSL to JavaScript, so that tests choose the order in which threads run: a function with
// barriers becomes a generator that yields at each barrier. Supports the WGSL that Tunebook's kernels use, and throws on the rest.

import type { Memory } from "./memory.ts";
import { Cursor, tokensOf } from "./tokens.ts";
import {
  BY_PART,
  convert,
  operate,
  type Scalar,
  scalar,
  scalarInMemory,
  scalarsOf,
  type Type,
  type Value,
  widthOf,
  zero,
} from "./types.ts";

/** The built-in values of a thread. */
export interface Builtins {
  readonly workgroup_id: readonly number[];
  readonly num_workgroups: readonly number[];
  readonly local_invocation_id: readonly number[];
  readonly local_invocation_index: readonly number[];
  readonly global_invocation_id: readonly number[];
}

/** A barrier: the memory that it orders, and its line. */
export interface Barrier {
  readonly memory: "workgroup" | "storage";
  readonly line: number;
}

/** A thread that yields at each barrier. */
export type Thread = Generator<Barrier, void, void>;

/** An entry point. */
export interface EntryPoint {
  readonly workgroupSize: readonly [number, number, number];
  /** The names of its built-in values, in order. */
  readonly builtins: readonly (keyof Builtins)[];
  readonly hasBarriers: boolean;
}

/** A bound buffer, or workgroup memory, which has no binding. */
export interface MemoryVariable {
  readonly name: string;
  readonly binding?: number;
  readonly written: boolean;
  readonly scalar: "f32" | "u32" | "i32";
  /** The number of words of workgroup memory. */
  readonly words: number;
}

/** A translated WGSL text. */
export interface Translated {
  readonly entryPoints: ReadonlyMap<string, EntryPoint>;
  readonly memories: readonly MemoryVariable[];
  /** The types of the uniform struct's fields. */
  readonly uniforms: readonly Scalar[];
  /** Binds memories, by name, and uniforms. Returns the function of each entry point, which runs one thread. */
  readonly bind: (
    memories: Readonly<Record<string, Memory>>,
    uniforms: readonly number[],
  ) => Readonly<Record<string, (...builtins: number[]) => Thread | void>>;
}

/** Some words of a memory, or of a thread's own array. */
interface Words {
  readonly type: Type;
  readonly place: "memory" | "array";
  readonly name: string;
  readonly base: string;
}

/** Local variables: one for each part; `component` is a computed index into a vector. */
interface Variables extends Value {
  readonly place: "variables";
  readonly component?: string;
}

/** A value, or a place that holds one. */
type Operand = Value & { readonly place?: undefined } | Variables | Words;

interface Signature {
  readonly parameters: readonly { name: string; type: Type; builtin?: keyof Builtins }[];
  readonly result: Type | undefined;
  readonly bodyAt: number;
  readonly generator: boolean;
  readonly attributes: ReadonlyMap<string, number>;
}

const SCALARS: Readonly<Record<string, Scalar>> = {
  f32: "f32",
  u32: "u32",
  i32: "i32",
  bool: "bool",
};
const SUFFIXES: Readonly<Record<string, Scalar>> = { f: "f32", u: "u32", i: "i32", b: "bool" };
const BARRIERS: Readonly<Record<string, Barrier["memory"]>> = {
  workgroupBarrier: "workgroup",
  storageBarrier: "storage",
};

const PRECEDENCE: Readonly<Record<string, number>> = {
  ...{ "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6 },
  ...{ "<": 7, ">": 7, "<=": 7, ">=": 7, "<<": 8, ">>": 8 },
  ...{ "+": 9, "-": 9, "*": 10, "/": 10, "%": 10 },
};
const COMPARISONS = ["==", "!=", "<", ">", "<=", ">="];
/** In templates, which end with ">". */
const ABOVE_COMPARISONS = 8;

const cache = new Map<string, Translated>();

/**
 * Translates a text.
 *
 * @param wgsl The text.
 * @returns The JavaScript functions and what they need.
 * @throws {SyntaxError} If it uses an unsupported part of WGSL.
 */
export function translate(wgsl: string): Translated {
  const known = cache.get(wgsl) ?? new Translator(wgsl).translate();
  cache.set(wgsl, known);
  return known;
}

class Translator {
  readonly #tokens;
  readonly #cursor: Cursor;
  /** The token at which each declaration begins. */
  readonly #declared = new Map<string, number>();
  readonly #signatures = new Map<string, Signature>();
  readonly #globals = new Map<string, Operand>();
  readonly #memories: MemoryVariable[] = [];
  #uniforms: readonly Scalar[] = [];
  #scopes: Map<string, Operand>[] = [];
  #lines: string[] = [];
  #names = 0;
  #result: Type | undefined;
  /** The labels for `break` and `continue`. */
  #breaks: string[] = [];
  #continues: string[] = [];

  constructor(wgsl: string) {
    this.#tokens = tokensOf(wgsl);
    this.#cursor = new Cursor(this.#tokens);
  }

  translate(): Translated {
    const functions = this.#findDeclarations();
    const code = functions.map((name) => this.#function(name));
    const entryPoints = new Map<string, EntryPoint>();
    for (const name of functions) {
      const { attributes, parameters, generator } = this.#signature(name);
      if (!attributes.has("compute")) continue;
      entryPoints.set(name, {
        workgroupSize: [0, 1, 2].map((i) => attributes.get(`workgroup_size ${i}`) ?? 1) as [
          number,
          number,
          number,
        ],
        builtins: parameters.map(({ builtin }) => builtin!),
        hasBarriers: generator,
      });
    }
    const variables = [
      ...this.#memories.map(({ name }) => [`memory_${name}`, `memories.${name}`]),
      ...this.#uniforms.map((_, i) => [`uniform${i}`, `uniforms[${i}]`]),
    ];
    const entries = [...entryPoints.keys()].map((name) => `${name}: f_${name}`);
    // The functions are made once and bound to each dispatch, so that the engine keeps their optimized code.
    const source = `"use strict";
${BITS}
let ${["unused", ...variables.map(([name]) => name)].join(", ")};
${code.join("\n")}
return (memories, uniforms) => {
  ${variables.map(([name, value]) => `${name} = ${value};`).join("\n")}
  return { ${entries.join(", ")} };
};`;
    const bind: Translated["bind"] = new Function(source)();
    return { entryPoints, memories: this.#memories, uniforms: this.#uniforms, bind };
  }

  /** Finds all declarations, which may come in any order, and declares memory. Returns the functions' names. */
  #findDeclarations(): string[] {
    const cursor = this.#cursor;
    const functions: string[] = [];
    const variables: number[] = [];
    for (let start = cursor.at; cursor.next.kind !== "end"; start = cursor.at) {
      while (cursor.skip("@")) {
        cursor.name();
        if (cursor.skip("(")) cursor.skipToClose("(", ")");
      }
      const keyword = cursor.name();
      if (keyword === "var") {
        variables.push(start);
        while (!cursor.skip(";")) cursor.take();
        continue;
      }
      const name = cursor.name();
      this.#declared.set(name, start);
      if (keyword === "fn") {
        functions.push(name);
        while (!cursor.skip("{")) cursor.take();
        cursor.skipToClose("{", "}");
      } else if (keyword === "struct") {
        cursor.expect("{");
        cursor.skipToClose("{", "}");
        cursor.skip(";");
      } else if (["const", "alias"].includes(keyword)) {
        while (!cursor.skip(";")) cursor.take();
      } else cursor.fail(`"${keyword}" is not known`);
    }
    for (const start of variables) this.#at(start, () => this.#moduleVariable());
    return functions;
  }

  /** Runs a function at another token, and returns to this one. */
  #at<T>(at: number, act: () => T): T {
    const before = this.#cursor.at;
    this.#cursor.at = at;
    try {
      return act();
    } finally {
      this.#cursor.at = before;
    }
  }

  #attributes(): Map<string, number> {
    const cursor = this.#cursor;
    const attributes = new Map<string, number>();
    while (cursor.skip("@")) {
      const name = cursor.name();
      attributes.set(name, 0);
      if (!cursor.skip("(")) continue;
      if (name === "builtin") attributes.set(cursor.name(), 0);
      else {
        for (let i = 0; !cursor.is(")"); i++) {
          attributes.set(`${name} ${i}`, this.#constant());
          cursor.skip(",");
        }
      }
      cursor.expect(")");
    }
    return attributes;
  }

  #moduleVariable(): void {
    const cursor = this.#cursor;
    const attributes = this.#attributes();
    cursor.expect("var");
    cursor.expect("<");
    const space = cursor.name();
    const written = space === "workgroup" || (cursor.skip(",") && cursor.name() === "read_write");
    cursor.expect(">");
    const name = cursor.name();
    cursor.expect(":");
    const type = this.#type();
    cursor.expect(";");
    if (space === "uniform") {
      this.#uniforms = scalarsOf(type);
      this.#globals.set(name, { type, parts: this.#uniforms.map((_, i) => `uniform${i}`) });
      return;
    }
    // In buffers a vector of three is padded to four, and structs have padding of their own.
    const element = type.kind === "array" ? type.of : type;
    if (space === "storage" && (element.kind === "struct" || widthOf(element) === 3)) {
      cursor.fail("buffers of structs and vectors of three are not known");
    }
    const [of, words] = [scalarInMemory(type), widthOf(type)];
    this.#memories.push({ name, binding: attributes.get("binding 0"), written, scalar: of, words });
    this.#globals.set(name, { type, place: "memory", name: `memory_${name}`, base: "0" });
  }

  #type(): Type {
    const cursor = this.#cursor;
    const name = cursor.name();
    if (SCALARS[name]) return scalar(SCALARS[name]);
    const [, size, suffix] = /^vec([234])([fuib]?)$/.exec(name) ?? [];
    if (size) {
      if (suffix) return { kind: "vector", of: SUFFIXES[suffix], size: Number(size) };
      cursor.expect("<");
      const of = SCALARS[cursor.name()];
      cursor.expect(">");
      return { kind: "vector", of, size: Number(size) };
    }
    if (name === "array") {
      cursor.expect("<");
      const of = this.#type();
      // An array without a count is as long as its binding.
      const count = cursor.skip(",") ? this.#constant() : 0;
      cursor.expect(">");
      return { kind: "array", of, count };
    }
    const at = this.#declared.get(name);
    if (at === undefined) return cursor.fail(`"${name}" is not a type`);
    return this.#at(at, () => {
      const keyword = cursor.name();
      cursor.name();
      if (keyword === "alias") {
        cursor.expect("=");
        return this.#type();
      }
      if (keyword !== "struct") return cursor.fail(`"${name}" is not a type`);
      const fields = new Map<string, Type>();
      cursor.expect("{");
      while (!cursor.skip("}")) {
        const field = cursor.name();
        cursor.expect(":");
        fields.set(field, this.#type());
        cursor.skip(",");
      }
      return { kind: "struct", name, fields };
    });
  }

  /** The value of a constant expression. */
  #constant(): number {
    const lines = this.#lines;
    this.#lines = [];
    const { parts } = this.#value(ABOVE_COMPARISONS);
    const number = new Function(`${BITS}${this.#lines.join("\n")}\nreturn ${parts[0]};`)();
    this.#lines = lines;
    return number;
  }

  #signature(name: string): Signature {
    const known = this.#signatures.get(name);
    if (known) return known;
    const cursor = this.#cursor;
    const made = this.#at(this.#declared.get(name)!, () => {
      const attributes = this.#attributes();
      cursor.expect("fn");
      cursor.name();
      cursor.expect("(");
      const parameters = [];
      while (!cursor.skip(")")) {
        const builtin = [...this.#attributes().keys()].find((key) => key !== "builtin");
        const parameter = cursor.name();
        cursor.expect(":");
        const type = this.#type();
        parameters.push({ name: parameter, type, builtin: builtin as keyof Builtins | undefined });
        cursor.skip(",");
      }
      const result = cursor.skip("->") ? this.#type() : undefined;
      cursor.expect("{");
      const bodyAt = cursor.at;
      cursor.skipToClose("{", "}");
      const words = this.#tokens.slice(bodyAt, cursor.at).map(({ text }) => text);
      const generator = words.some((word) =>
        BARRIERS[word] ||
        word !== name && this.#isFunction(word) && this.#signature(word).generator
      );
      return { parameters, result, bodyAt, generator, attributes };
    });
    this.#signatures.set(name, made);
    return made;
  }

  #isFunction(name: string): boolean {
    const at = this.#declared.get(name);
    return at !== undefined && ["fn", "@"].includes(this.#tokens[at].text);
  }

  #function(name: string): string {
    const { parameters, result, bodyAt, generator } = this.#signature(name);
    this.#lines = [];
    this.#result = result;
    const scope = new Map<string, Operand>();
    const given: string[] = [];
    for (const { name: parameter, type } of parameters) {
      const parts = scalarsOf(type).map(() => this.#newName(parameter));
      given.push(...parts);
      scope.set(parameter, { type, parts });
    }
    this.#scopes = [scope];
    this.#at(bodyAt, () => this.#statements());
    return `function${generator ? "*" : ""} f_${name}(${given.join(", ")}) {\n` +
      `${this.#lines.join("\n")}\n}`;
  }

  #newName(hint = "t"): string {
    return `${hint}_${this.#names++}`;
  }

  /** Assigns JavaScript to a new constant, and returns its name. */
  #bind(code: string): string {
    if (/^[\w.]+$/.test(code)) return code;
    const name = this.#newName();
    this.#lines.push(`const ${name} = ${code};`);
    return name;
  }

  #declare(name: string, operand: Operand): void {
    this.#scopes.at(-1)!.set(name, operand);
  }

  /** Translates the statements up to the end of the block, in a new scope. */
  #statements(): void {
    this.#scopes.push(new Map());
    while (!this.#cursor.skip("}")) this.#statement();
    this.#scopes.pop();
  }

  #block(): void {
    this.#cursor.expect("{");
    this.#lines.push("{");
    this.#statements();
    this.#lines.push("}");
  }

  #statement(): void {
    const cursor = this.#cursor;
    if (cursor.skip(";")) return;
    if (cursor.is("{")) return this.#block();
    const { text } = cursor.next;
    switch (text) {
      case "if":
        return this.#if();
      case "for":
        return this.#for();
      case "while":
      case "loop":
        return this.#loop();
      case "switch":
        return this.#switch();
      case "break":
      case "continue": {
        cursor.take();
        cursor.expect(";");
        this.#lines.push(`break ${(text === "break" ? this.#breaks : this.#continues).at(-1)};`);
        return;
      }
      case "return": {
        cursor.take();
        if (cursor.skip(";")) this.#lines.push("return;");
        else {
          const { parts } = this.#as(this.#value(), this.#result!);
          cursor.expect(";");
          this.#lines.push(`return ${parts.length === 1 ? parts[0] : `[${parts.join(", ")}]`};`);
        }
        return;
      }
    }
    this.#simpleStatement();
    cursor.expect(";");
  }

  /** Translates a statement that may also be in the head of a loop. */
  #simpleStatement(): void {
    const cursor = this.#cursor;
    if (["let", "const", "var"].includes(cursor.next.text)) {
      return this.#declaration(cursor.take().text);
    }
    const barrier = BARRIERS[cursor.next.text];
    if (barrier) {
      this.#lines.push(`yield { memory: "${barrier}", line: ${cursor.take().line} };`);
      cursor.expect("(");
      cursor.expect(")");
      return;
    }
    if (cursor.is("_")) {
      cursor.take();
      cursor.expect("=");
      this.#value();
      return;
    }
    const target = this.#postfix();
    const operator = cursor.next.text;
    if (operator === ";" || operator === ")") return; // a call
    cursor.take();
    if (operator === "++" || operator === "--") {
      const one: Value = { type: scalar("int"), parts: ["1"] };
      this.#assign(target, this.#binary(operator[0], this.#load(target), one));
    } else if (operator === "=") {
      this.#assign(target, this.#value());
    } else {
      // The right side is evaluated before the left one is read.
      const value = this.#value();
      this.#assign(target, this.#binary(operator.slice(0, -1), this.#load(target), value));
    }
  }

  #declaration(keyword: string): void {
    const cursor = this.#cursor;
    const name = cursor.name();
    const type = cursor.skip(":") ? this.#type() : undefined;
    if (keyword === "var" && type?.kind === "array" && !cursor.is("=")) {
      const array = this.#newName(name);
      const words = { f32: "Float32Array", u32: "Uint32Array", i32: "Int32Array" };
      const kind = words[scalarInMemory(type)];
      this.#lines.push(`const ${array} = new ${kind}(${widthOf(type)});`);
      return this.#declare(name, { type, place: "array", name: array, base: "0" });
    }
    const given = cursor.skip("=") ? this.#value() : zero(type!);
    const value = this.#as(given, type ?? concrete(given.type));
    if (keyword !== "var") return this.#declare(name, value);
    const parts = value.parts.map((part) => {
      const variable = this.#newName(name);
      this.#lines.push(`let ${variable} = ${part};`);
      return variable;
    });
    this.#declare(name, { type: value.type, parts, place: "variables" });
  }

  #if(): void {
    const cursor = this.#cursor;
    cursor.expect("if");
    this.#lines.push(`if (${this.#value().parts[0]})`);
    this.#block();
    if (!cursor.skip("else")) return;
    this.#lines.push("else {");
    if (cursor.is("if")) this.#if();
    else this.#block();
    this.#lines.push("}");
  }

  #for(): void {
    const cursor = this.#cursor;
    cursor.expect("for");
    cursor.expect("(");
    this.#scopes.push(new Map());
    this.#lines.push("{");
    if (!cursor.is(";")) this.#simpleStatement();
    cursor.expect(";");
    const conditionAt = cursor.at;
    while (!cursor.skip(";")) cursor.take();
    const stepAt = cursor.at;
    cursor.skipToClose("(", ")");
    this.#looped(
      () => this.#at(conditionAt, () => this.#cursor.is(";") || this.#leaveUnless()),
      () => this.#at(stepAt, () => this.#cursor.is(")") || this.#simpleStatement()),
    );
    this.#lines.push("}");
    this.#scopes.pop();
  }

  #loop(): void {
    const cursor = this.#cursor;
    if (cursor.take().text === "loop") return this.#looped(() => {}, () => {});
    const conditionAt = cursor.at;
    while (!cursor.is("{")) cursor.take();
    this.#looped(() => this.#at(conditionAt, () => this.#leaveUnless()), () => {});
  }

  /** Breaks from the innermost loop unless the next expression is true. */
  #leaveUnless(): void {
    this.#lines.push(`if (!${this.#value().parts[0]}) break ${this.#breaks.at(-1)};`);
  }

  #looped(before: () => void, after: () => void): void {
    const [leave, next] = [this.#newName("leave"), this.#newName("next")];
    this.#breaks.push(leave);
    this.#continues.push(next);
    this.#lines.push(`${leave}: for (;;) {`);
    before();
    this.#lines.push(`${next}:`);
    this.#block();
    after();
    this.#lines.push("}");
    this.#breaks.pop();
    this.#continues.pop();
  }

  #switch(): void {
    const cursor = this.#cursor;
    cursor.expect("switch");
    const { parts, type } = this.#value();
    const leave = this.#newName("leave");
    this.#breaks.push(leave);
    this.#lines.push(`${leave}: switch (${parts[0]}) {`);
    cursor.expect("{");
    while (!cursor.skip("}")) {
      if (cursor.skip("default")) this.#lines.push("default:");
      else {
        cursor.expect("case");
        do {
          this.#lines.push(`case ${this.#as(this.#value(), type).parts[0]}:`);
        } while (cursor.skip(",") && !cursor.is(":") && !cursor.is("{"));
      }
      cursor.skip(":");
      this.#block();
      this.#lines.push(`break ${leave};`);
    }
    this.#lines.push("}");
    this.#breaks.pop();
  }

  #assign(target: Operand, given: Value): void {
    const { parts } = this.#as(given, target.type);
    if (target.place === "memory") {
      parts.forEach((part, i) =>
        this.#lines.push(`${target.name}.store(${target.base} + ${i}, ${part});`)
      );
    } else if (target.place === "array") {
      parts.forEach((part, i) =>
        this.#lines.push(`${target.name}[${target.base} + ${i}] = ${part};`)
      );
    } else if (target.place === "variables") {
      const { component } = target;
      target.parts.forEach((variable, i) =>
        this.#lines.push(
          component === undefined
            ? `${variable} = ${parts[i]};`
            : `if (${component} === ${i}) ${variable} = ${parts[0]};`,
        )
      );
    } else this.#cursor.fail("it cannot be assigned to");
  }

  /** The value of an operand. */
  #load(operand: Operand): Value {
    const { type } = operand;
    if (operand.place === undefined) return operand;
    if (operand.place === "variables") {
      const { parts, component } = operand;
      if (component !== undefined) {
        return { type, parts: [this.#bind(`[${parts.join(", ")}][${component}]`)] };
      }
      // A copy, since the variables may change before it is used.
      const copied = parts.map((part) => {
        const name = this.#newName();
        this.#lines.push(`const ${name} = ${part};`);
        return name;
      });
      return { type, parts: copied };
    }
    const { place, name, base } = operand;
    const parts = scalarsOf(type).map((_, i) =>
      this.#bind(place === "memory" ? `${name}.load(${base} + ${i})` : `${name}[${base} + ${i}]`)
    );
    return { type, parts };
  }

  /** Converts a value to a type, if WGSL does so implicitly. */
  #as(value: Value, type: Type): Value {
    const [from, to] = [scalarsOf(value.type), scalarsOf(type)];
    if (from.length !== to.length || from.some((of, i) => of !== to[i] && of !== "int")) {
      this.#cursor.fail(`expected ${to.join(", ")}, not ${from.join(", ")}`);
    }
    return { type, parts: value.parts };
  }

  #value(least = 0): Value {
    let left = this.#unary();
    for (;;) {
      const operator = this.#cursor.next.text;
      const precedence = PRECEDENCE[operator];
      if (precedence === undefined || precedence < Math.max(least, 1)) return left;
      this.#cursor.take();
      if (operator !== "&&" && operator !== "||") {
        left = this.#binary(operator, left, this.#value(precedence + 1));
        continue;
      }
      const name = this.#newName();
      this.#lines.push(`let ${name} = ${left.parts[0]};`);
      this.#lines.push(`if (${operator === "&&" ? "" : "!"}${name}) {`);
      const right = this.#value(precedence + 1);
      this.#lines.push(`${name} = ${right.parts[0]};`, "}");
      left = { type: scalar("bool"), parts: [name] };
    }
  }

  #binary(operator: string, left: Value, right: Value): Value {
    const isShift = operator === "<<" || operator === ">>";
    const [a, b] = [scalarsOf(left.type)[0], scalarsOf(right.type)[0]];
    const of = a === "int" && !isShift ? b : a;
    if (!isShift && b !== of && b !== "int") {
      this.#cursor.fail(`"${operator}" takes two of a kind, not ${a} and ${b}`);
    }
    const count = Math.max(left.parts.length, right.parts.length);
    for (const { length } of [left.parts, right.parts]) {
      if (length !== 1 && length !== count) this.#cursor.fail("vectors differ in length");
    }
    const part = ({ parts }: Value, i: number) => parts.length === 1 ? parts[0] : parts[i];
    const kind = of === "int" ? "i32" : of;
    const parts = Array.from(
      { length: count },
      (_, i) => this.#bind(operate(operator, kind, part(left, i), part(right, i))),
    );
    const made = COMPARISONS.includes(operator) ? "bool" : of;
    return { type: vectorOf(made, count), parts };
  }

  #unary(): Value {
    const cursor = this.#cursor;
    for (const operator of ["-", "!", "~"]) {
      if (!cursor.skip(operator)) continue;
      const { type, parts } = this.#unary();
      const of = scalarsOf(type)[0];
      const wrap = (code: string) =>
        operator === "!" || of === "f32" || of === "int"
          ? code
          : of === "u32"
          ? `(${code}) >>> 0`
          : `(${code}) | 0`;
      return { type, parts: parts.map((part) => this.#bind(wrap(`${operator}(${part})`))) };
    }
    return this.#load(this.#postfix());
  }

  #postfix(): Operand {
    const cursor = this.#cursor;
    let operand = this.#primary();
    for (;;) {
      if (cursor.skip("[")) {
        const { parts: [index] } = this.#value();
        cursor.expect("]");
        operand = this.#element(operand, index);
      } else if (cursor.skip(".")) operand = this.#member(operand, cursor.name());
      else return operand;
    }
  }

  #element(operand: Operand, index: string): Operand {
    const { type } = operand;
    const of = type.kind === "array"
      ? type.of
      : type.kind === "vector"
      ? scalar(type.of)
      : this.#cursor.fail("it has no elements");
    if (isWords(operand)) {
      const base = this.#bind(`${operand.base} + ${index} * ${widthOf(of)}`);
      return { ...operand, type: of, base };
    }
    if (type.kind !== "vector") return this.#cursor.fail("only variables are arrays");
    if (/^\d+$/.test(index)) return { ...operand, type: of, parts: [operand.parts[Number(index)]] };
    if (operand.place === "variables") return { ...operand, type: of, component: index };
    return { type: of, parts: [this.#bind(`[${operand.parts.join(", ")}][${index}]`)] };
  }

  #member(operand: Operand, name: string): Operand {
    const { type } = operand;
    let first = 0;
    let of: Type;
    if (type.kind === "vector") {
      const chosen = [...name].map((letter) =>
        Math.max("xyzw".indexOf(letter), "rgba".indexOf(letter))
      );
      if (chosen.length > 1) {
        const { parts } = this.#load(operand);
        return { type: vectorOf(type.of, chosen.length), parts: chosen.map((i) => parts[i]) };
      }
      [first] = chosen;
      of = scalar(type.of);
    } else if (type.kind === "struct") {
      const fields = [...type.fields];
      const at = fields.findIndex(([field]) => field === name);
      if (at < 0) this.#cursor.fail(`${type.name} has no "${name}"`);
      first = fields.slice(0, at).reduce((sum, [, field]) => sum + widthOf(field), 0);
      of = fields[at][1];
    } else return this.#cursor.fail("it has no members");
    if (isWords(operand)) {
      return { ...operand, type: of, base: this.#bind(`${operand.base} + ${first}`) };
    }
    return { ...operand, type: of, parts: operand.parts.slice(first, first + widthOf(of)) };
  }

  #primary(): Operand {
    const cursor = this.#cursor;
    const { kind, text } = cursor.next;
    if (cursor.skip("(")) {
      const value = this.#value();
      cursor.expect(")");
      return value;
    }
    if (kind === "number") {
      cursor.take();
      return literal(text);
    }
    if (text === "true" || text === "false") {
      cursor.take();
      return { type: scalar("bool"), parts: [text] };
    }
    if (kind !== "word") return cursor.fail("expected a value");
    for (const scope of this.#scopes.toReversed()) {
      const found = scope.get(text);
      if (found) return cursor.take(), found;
    }
    const global = this.#globals.get(text);
    if (global) return cursor.take(), global;
    const at = this.#declared.get(text);
    if (at !== undefined && this.#tokens[at].text === "const") {
      cursor.take();
      return this.#moduleConstant(text, at);
    }
    return this.#call();
  }

  #moduleConstant(name: string, at: number): Operand {
    const [made] = this.#at(at, () => {
      this.#cursor.expect("const");
      this.#cursor.name();
      const type = this.#cursor.skip(":") ? this.#type() : undefined;
      this.#cursor.expect("=");
      const before = this.#lines;
      this.#lines = [];
      const value = this.#value();
      const code = `${BITS}${this.#lines.join("\n")}\nreturn [${value.parts.join(", ")}];`;
      this.#lines = before;
      const parts: unknown[] = new Function(code)();
      return [{ type: type ?? value.type, parts: parts.map((part) => `${part}`) }];
    });
    this.#globals.set(name, made);
    return made;
  }

  #arguments(): Value[] {
    const cursor = this.#cursor;
    cursor.expect("(");
    const values: Value[] = [];
    while (!cursor.skip(")")) {
      values.push(this.#value());
      cursor.skip(",");
    }
    return values;
  }

  #call(): Value {
    const cursor = this.#cursor;
    const name = cursor.next.text;
    if (this.#isFunction(name)) return cursor.take(), this.#callFunction(name);
    if (BY_PART[name] || ["select", "dot", "bitcast"].includes(name)) {
      cursor.take();
      return this.#callBuiltin(name);
    }
    const type = this.#type();
    const values = this.#arguments();
    if (values.length === 0) return zero(type);
    const given = values.flatMap(({ type, parts }) => {
      const from = scalarsOf(type);
      return parts.map((part, i) => ({ part, of: from[i] }));
    });
    const wanted = scalarsOf(type);
    if (type.kind === "vector" && given.length === 1) {
      while (given.length < type.size) given.push(given[0]);
    }
    if (given.length !== wanted.length) cursor.fail(`expected ${wanted.length} numbers`);
    const parts = given.map(({ part, of }, i) =>
      this.#bind(of === "int" ? part : convert(part, of, wanted[i]))
    );
    return { type, parts };
  }

  #callFunction(name: string): Value {
    const { parameters, result, generator } = this.#signature(name);
    const values = this.#arguments();
    const parts = parameters.flatMap(({ type }, i) => this.#as(values[i], type).parts);
    const call = `${generator ? "(yield* " : ""}f_${name}(${parts.join(", ")})${
      generator ? ")" : ""
    }`;
    if (!result) {
      this.#lines.push(`${call};`);
      return { type: scalar("bool"), parts: [] };
    }
    if (widthOf(result) === 1) return { type: result, parts: [this.#bind(call)] };
    const names = scalarsOf(result).map(() => this.#newName());
    this.#lines.push(`const [${names.join(", ")}] = ${call};`);
    return { type: result, parts: names };
  }

  #callBuiltin(name: string): Value {
    const cursor = this.#cursor;
    if (name === "bitcast") {
      cursor.expect("<");
      const type = this.#type();
      cursor.expect(">");
      const [{ parts, type: given }] = this.#arguments();
      const [from, to] = [scalarsOf(given)[0], scalarsOf(type)[0]];
      return { type, parts: parts.map((part) => this.#bind(`bits(${part}, "${from}", "${to}")`)) };
    }
    const values = this.#arguments();
    if (name === "select") {
      const [no, yes, which] = values;
      const type = scalarsOf(no.type)[0] === "int" ? yes.type : no.type;
      const parts = no.parts.map((part, i) => {
        const choice = which.parts.length === 1 ? which.parts[0] : which.parts[i];
        return this.#bind(`${choice} ? ${yes.parts[i]} : ${part}`);
      });
      return { type, parts };
    }
    if (name === "dot") {
      const [a, b] = values;
      const of = scalarsOf(a.type)[0];
      const products = a.parts.map((part, i) => this.#bind(operate("*", of, part, b.parts[i])));
      const sum = products.reduce((sum, product) => this.#bind(operate("+", of, sum, product)));
      return { type: scalar(of), parts: [sum] };
    }
    const type = values.find(({ type }) => scalarsOf(type)[0] !== "int")?.type ?? values[0].type;
    const parts = values[0].parts.map((_, i) =>
      this.#bind(BY_PART[name](...values.map(({ parts }) => parts[i])))
    );
    return { type, parts };
  }
}

/** JavaScript that reinterprets bits as another type. */
const BITS = `const words = {
  f32: new Float32Array(1),
};
words.u32 = new Uint32Array(words.f32.buffer);
words.i32 = new Int32Array(words.f32.buffer);
function bits(value, from, to) {
  words[from === "int" ? "i32" : from][0] = value;
  return words[to][0];
}
`;

function isWords(operand: Operand): operand is Words {
  return operand.place === "memory" || operand.place === "array";
}

function vectorOf(of: Scalar, size: number): Type {
  return size === 1 ? scalar(of) : { kind: "vector", of, size };
}

/** The type of a variable that is declared without one. */
function concrete(type: Type): Type {
  return type.kind === "scalar" && type.of === "int" ? scalar("i32") : type;
}

function literal(text: string): Value {
  const isHex = /^0[xX]/.test(text);
  if (!isHex && /[.eEf]/.test(text)) {
    return { type: scalar("f32"), parts: [`${Math.fround(Number(text.replace(/f$/, "")))}`] };
  }
  const [, digits, suffix] = /^(.*?)([ui]?)$/.exec(text)!;
  return { type: scalar(SUFFIXES[suffix] ?? "int"), parts: [`${Number(digits)}`] };
}
