/**
 * Runs a parsed template by the rules of Python and jinja2. The library parses; it evaluates by JavaScript's rules (it
 * prints `true` and `[1,2]`, strips nothing but white space, loses what an iteration wrote before `continue`), which is
 * why its own interpreter is not used.
 *
 * Steps and what is written are counted, so that a hostile template ends with an error.
 *
 * @module
 */

import { bind } from "./bind.ts";
import { applyFilter, applyTest } from "./filters.ts";
import { attributeIn } from "./methods.ts";
import { assertDefined, itemOf, operate, signed, sliceOf } from "./operators.ts";
import {
  GENERATION_VARIABLE,
  GROUP_FILTER,
  RECURSIVE_VARIABLE,
  TEST_FILTER,
  TUPLE_FILTER,
  WITH_VARIABLE,
} from "./source.ts";
import {
  type Arguments,
  assertLength,
  type Callable,
  Float,
  Instance,
  isTrue,
  iterate,
  LONGEST,
  Namespace,
  representation,
  setEntry,
  TemplateError,
  text,
  tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** A node of the library's syntax tree. Which fields it has depends on its type. */
// deno-lint-ignore no-explicit-any
export type Node = { readonly type: string } & Readonly<Record<string, any>>;

/** How many statements and expressions a template may evaluate. */
const MOST_STEPS = 2_000_000;

const COMPARISONS = ["==", "!=", "<", ">", "<=", ">=", "in", "not in"];

/** What a loop's body ended with; what it wrote before that stays written. */
type Ending = "break" | "continue" | undefined;

/** Thrown where a template does more than it may. */
export class BudgetError extends Error {}

/** Names and their values, and where to look further. */
class Scope {
  readonly #values = new Map<string, Value>();

  constructor(readonly parent?: Scope) {}

  get(name: string): Value | undefined {
    return this.#values.has(name) ? this.#values.get(name) : this.parent?.get(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}

/**
 * Runs a template.
 *
 * @param program Its syntax tree.
 * @param globals The names that it may use.
 * @returns The text, and what of it `{% generation %}` marks.
 * @throws {TemplateError} Where Python or jinja2 would throw.
 * @throws {BudgetError} Where it takes too many steps or writes too much.
 */
export function evaluate(program: Node, globals: ReadonlyMap<string, Value>): Written {
  const scope = new Scope();
  for (const [name, value] of globals) scope.set(name, value);
  scope.set("namespace", makeNamespace);
  scope.set("dict", ({ positional, named }) => entriesOf("dict", positional, named));
  scope.set("cycler", makeCycler);
  scope.set("joiner", makeJoiner);
  scope.set("lipsum", unsupported("lipsum"));
  const run = new Run();
  try {
    run.outermost(program.body, scope);
  } catch (error) {
    // A macro that calls itself without end, which jinja2 ends by a RecursionError.
    if (!(error instanceof RangeError && /call stack/.test(error.message))) throw error;
    throw new BudgetError("its macros call each other too deeply", { cause: error });
  }
  return { text: run.written, marks: run.marks };
}

/** What a template wrote. */
export interface Written {
  /** The text. */
  readonly text: string;
  /** Where in it is what `{% generation %}` marks; undefined if that was within a macro or a captured block. */
  readonly marks: readonly (readonly [start: number, end: number])[] | undefined;
}

class Run {
  /** What is written so far, of the innermost block that is captured. */
  written = "";
  /** What is marked of the whole text; undefined once something is whose place in it is not known. */
  marks: (readonly [start: number, end: number])[] | undefined = [];
  #marking = false;
  #captures = 0;
  #steps = 0;

  /** Runs statements that are in no loop. */
  outermost(statements: readonly Node[], scope: Scope): void {
    const ending = this.block(statements, scope);
    if (ending) throw new TemplateError(`"${ending}" outside of a loop`);
  }

  /** Runs statements, and tells how they ended. */
  block(statements: readonly Node[], scope: Scope): Ending {
    for (const statement of statements) {
      const ending = this.#statement(statement, scope);
      if (ending) return ending;
    }
  }

  /** Runs statements and gives what they wrote. */
  #captured(statements: readonly Node[], scope: Scope): string {
    return this.#writtenBy(() => this.outermost(statements, scope));
  }

  #writtenBy(run: () => unknown): string {
    const before = this.written;
    this.written = "";
    this.#captures++;
    run();
    this.#captures--;
    const inner = this.written;
    this.written = before;
    return inner;
  }

  /** Runs what `{% generation %}` marks: names that are set there end there, and no loop is left from there. */
  #marked(statements: readonly Node[], scope: Scope): void {
    const within = this.#marking;
    if (this.#captures > 0) this.marks = undefined;
    this.#marking = true;
    const start = this.written.length;
    this.outermost(statements, new Scope(scope));
    this.#marking = within;
    if (!within && this.written.length > start) this.marks?.push([start, this.written.length]);
  }

  #step(): void {
    if (++this.#steps > MOST_STEPS) throw new BudgetError(`it takes more than ${MOST_STEPS} steps`);
  }

  #write(content: string): void {
    this.written += content;
    if (this.written.length > LONGEST) {
      throw new BudgetError(`it writes more than ${LONGEST} characters`);
    }
  }

  #statement(node: Node, scope: Scope): Ending {
    this.#step();
    switch (node.type) {
      case "Comment":
        return;
      case "Break":
        return "break";
      case "Continue":
        return "continue";
      case "If":
        return this.block(
          isTrue(this.#value(node.test, scope)) ? node.body : node.alternate,
          scope,
        );
      case "For":
        return this.#loop(node, scope);
      case "Set":
        return void this.#set(node, scope);
      case "Macro": {
        const macro = this.#macro(node.name.value, node.args, node.body, scope);
        return void scope.set(node.name.value, macro);
      }
      case "CallStatement": {
        const caller = this.#macro("caller", node.callerArgs ?? [], node.body, scope);
        return void this.#write(text(this.#call(node.call, scope, caller)));
      }
      default:
        return void this.#write(text(this.#value(node, scope)));
    }
  }

  #loop(node: Node, scope: Scope): Ending {
    if (node.loopvar.value === WITH_VARIABLE) return this.block(node.body, new Scope(scope));
    if (node.loopvar.value === GENERATION_VARIABLE) return void this.#marked(node.body, scope);
    const { iterable } = node;
    const looped = iterable.type === "SelectExpression" ? iterable.lhs : iterable;
    return this.#iterate(node, this.#value(looped, scope), scope, 1);
  }

  /** Runs a loop's body for each item; a recursive loop calls itself by `loop(items)`, one level deeper. */
  #iterate(node: Node, looped: Value, scope: Scope, depth: number): Ending {
    const all = iterate(looped);
    const filtered = node.iterable.type === "SelectExpression";
    const again: Callable = (args) => {
      if (node.body[0]?.assignee?.value !== RECURSIVE_VARIABLE) {
        throw new TemplateError("The loop must have the 'recursive' marker to be called.");
      }
      const { iterable } = bind("loop", args, { iterable: undefined });
      return this.#writtenBy(() => {
        const ending = this.#iterate(node, iterable, scope, depth + 1);
        if (ending) throw new TemplateError(`"${ending}" outside of a loop`);
      });
    };
    const items = filtered
      ? all.filter((item) => {
        const own = new Scope(scope);
        this.#assign(node.loopvar, item, own);
        return isTrue(this.#value(node.iterable.test, own));
      })
      : all;
    // As in jinja2, where "else" runs unless some iteration came to the end of the body.
    let completed = false;
    let changed: Value | undefined;
    for (const [i, item] of items.entries()) {
      this.#step();
      const own = new Scope(scope);
      this.#assign(node.loopvar, item, own);
      own.set(
        "loop",
        new Instance(
          "LoopContext",
          new Map<string, Value>([
            ["index", i + 1],
            ["index0", i],
            ["revindex", items.length - i],
            ["revindex0", items.length - i - 1],
            ["first", i === 0],
            ["last", i === items.length - 1],
            ["length", items.length],
            ["depth", depth],
            ["depth0", depth - 1],
            ["previtem", orUndefined(items[i - 1], () => "there is no previous item")],
            ["nextitem", orUndefined(items[i + 1], () => "there is no next item")],
            ["cycle", ({ positional }) => {
              if (positional.length === 0) throw new TemplateError("no items for cycling given");
              return positional[i % positional.length]!;
            }],
            ["changed", ({ positional }) => {
              const now = tuple(...positional);
              const same = changed !== undefined && operate("==", changed, now) === true;
              changed = now;
              return !same;
            }],
          ]),
          { call: again, shown: `<LoopContext ${i + 1}/${items.length}>` },
        ),
      );
      const ending = this.block(node.body, own);
      if (!ending) completed = true;
      if (ending === "break") break;
    }
    if (!completed) return this.block(node.defaultBlock, new Scope(scope));
  }

  #set(node: Node, scope: Scope): void {
    if (node.value) return this.#assign(node.assignee, this.#value(node.value, scope), scope);
    let value: Value = this.#captured(node.body, new Scope(scope));
    // `set x | upper | trim`: the filters of the text, the first one innermost
    const filters: Node[] = [];
    let target: Node = node.assignee;
    for (; target.type === "FilterExpression"; target = target.operand) {
      filters.unshift(target.filter);
    }
    for (const filter of filters) value = this.#filter(value, filter, scope);
    this.#assign(target, value, scope);
  }

  #assign(target: Node, value: Value, scope: Scope): void {
    switch (target.type) {
      case "Identifier":
        return scope.set(target.value, value);
      case "TupleLiteral": {
        const items = iterate(value);
        const { length } = target.value as Node[];
        if (items.length < length) {
          throw new TemplateError(
            `not enough values to unpack (expected ${length}, got ${items.length})`,
          );
        }
        if (items.length > length) {
          throw new TemplateError(`too many values to unpack (expected ${length})`);
        }
        return (target.value as Node[]).forEach((part, i) => this.#assign(part, items[i]!, scope));
      }
      case "MemberExpression": {
        const owner = this.#value(target.object, scope);
        if (!(owner instanceof Namespace) || owner instanceof Instance || target.computed) {
          throw new TemplateError("cannot assign attribute on non-namespace object");
        }
        assertPublic(target.property.value);
        return void owner.attributes.set(target.property.value, value);
      }
      default:
        throw new TemplateError(`can't assign to '${target.type}'`);
    }
  }

  /** A macro sees the names of where it is declared, not of where it is called. */
  #macro(name: string, parameters: readonly Node[], body: readonly Node[], scope: Scope): Callable {
    const described = parameters.map((parameter) =>
      parameter.type === "Identifier"
        ? { name: parameter.value as string, standard: undefined }
        : { name: parameter.key.value as string, standard: parameter.value as Node }
    );
    return ({ positional, named }) => {
      const own = new Scope(scope);
      const left = new Map(named);
      const missing: (typeof described)[number][] = [];
      for (const [i, parameter] of described.entries()) {
        let value: Value | undefined = positional[i];
        if (i >= positional.length && left.has(parameter.name)) {
          value = left.get(parameter.name);
          left.delete(parameter.name);
        }
        if (value === undefined) missing.push(parameter);
        else own.set(parameter.name, value);
      }
      for (const { name: parameter, standard } of missing) {
        const absent = new Undefined(`parameter '${parameter}' was not provided`);
        own.set(parameter, standard ? this.#value(standard, own) : absent);
      }
      const caller = left.get("caller");
      if (caller !== undefined) {
        own.set("caller", caller);
        left.delete("caller");
      }
      const rest = positional.slice(described.length);
      if (uses(body, "varargs")) own.set("varargs", tuple(...rest));
      else if (rest.length > 0) {
        throw new TemplateError(
          `macro '${name}' takes not more than ${described.length} argument(s)`,
        );
      }
      if (uses(body, "kwargs")) own.set("kwargs", new Map<Value, Value>(left));
      else if (left.size > 0) {
        throw new TemplateError(
          `macro '${name}' takes no keyword argument '${left.keys().next().value}'`,
        );
      }
      return this.#captured(body, own);
    };
  }

  #value(node: Node, scope: Scope): Value {
    this.#step();
    const value = this.#compute(node, scope);
    if (typeof value === "string" || Array.isArray(value)) assertLength(value.length);
    return value;
  }

  #compute(node: Node, scope: Scope): Value {
    switch (node.type) {
      case "IntegerLiteral":
        return node.value;
      case "FloatLiteral":
        return new Float(node.value);
      case "StringLiteral":
        return node.value;
      case "ArrayLiteral":
        return (node.value as Node[]).map((item) => this.#value(item, scope));
      case "TupleLiteral":
        return tuple(...(node.value as Node[]).map((item) => this.#value(item, scope)));
      case "ObjectLiteral": {
        const dict = new Map<Value, Value>();
        for (const [key, value] of node.value as Map<Node, Node>) {
          setEntry(dict, this.#value(key, scope), this.#value(value, scope));
        }
        return dict;
      }
      case "Identifier":
        if (node.value === "self" && scope.get("self") === undefined) {
          throw new TemplateError('"self" is not supported');
        }
        return orUndefined(scope.get(node.value), () => `'${node.value}' is undefined`);
      case "CallExpression":
        return this.#call(node, scope);
      case "MemberExpression":
        return this.#member(node, scope);
      case "UnaryExpression": {
        const value = this.#value(node.argument, scope);
        return node.operator.value === "not" ? !isTrue(value) : signed(node.operator.value, value);
      }
      case "BinaryExpression":
        return this.#binary(node, scope);
      case "FilterExpression":
        return this.#filtered(node, scope);
      case "Ternary":
        return isTrue(this.#value(node.condition, scope))
          ? this.#value(node.trueExpr, scope)
          : this.#value(node.falseExpr, scope);
      case "SelectExpression":
        return isTrue(this.#value(node.test, scope))
          ? this.#value(node.lhs, scope)
          : new Undefined("the inline if-expression evaluated to false and no else was defined");
      default:
        throw new TemplateError(`"${node.type}" cannot stand here`);
    }
  }

  #binary(node: Node, scope: Scope): Value {
    const operator: string = node.operator.value;
    if (operator === "and" || operator === "or") {
      const left = this.#value(node.left, scope);
      return isTrue(left) === (operator === "and") ? this.#value(node.right, scope) : left;
    }
    if (COMPARISONS.includes(operator)) return this.#comparison(node, scope).result;
    if (operator === "+" && (isMarkup(node.left) || isMarkup(node.right))) {
      const [left, right] = [node.left, node.right].map((side: Node) => {
        const value = this.#value(side, scope);
        // other values stay unchanged and are refused below
        const isText = typeof value === "string" && !isMarkup(side);
        return isText ? applyFilter("escape", value, NO_ARGUMENTS) : value;
      }) as [Value, Value];
      return operate("+", left, right);
    }
    return operate(operator, this.#value(node.left, scope), this.#value(node.right, scope));
  }

  /** Python's `a < b < c` holds where `a < b` and `b < c` do; the library's tree has it as `(a < b) < c`. */
  #comparison(node: Node, scope: Scope): { result: boolean; right: Value } {
    const isChain = node.left.type === "BinaryExpression" &&
      COMPARISONS.includes(node.left.operator.value);
    if (!isChain) {
      const left = this.#value(node.left, scope);
      const right = this.#value(node.right, scope);
      return { result: operate(node.operator.value, left, right) as boolean, right };
    }
    const before = this.#comparison(node.left, scope);
    if (!before.result) return { result: false, right: before.right };
    const right = this.#value(node.right, scope);
    return { result: operate(node.operator.value, before.right, right) as boolean, right };
  }

  #filtered(node: Node, scope: Scope): Value {
    const { filter } = node;
    if (filter.type === "CallExpression" && filter.callee.value === TEST_FILTER) {
      const [name, negated, ...others] = filter.args as Node[];
      const passes = applyTest(
        name!.value,
        this.#value(node.operand, scope),
        others.map((other) => this.#value(other, scope)),
      );
      return negated!.value === "true" ? !passes : passes;
    }
    const value = this.#value(node.operand, scope);
    // what is escaped or safe is not escaped again
    const isEscape = filter.value === "e" || filter.value === "escape";
    return isEscape && isMarkup(node.operand) ? value : this.#filter(value, filter, scope);
  }

  #filter(value: Value, filter: Node, scope: Scope): Value {
    if (filter.type === "Identifier") {
      if (filter.value === GROUP_FILTER) return value;
      if (filter.value === TUPLE_FILTER) return tuple(...iterate(value));
      return applyFilter(filter.value, value, NO_ARGUMENTS);
    }
    return applyFilter(filter.callee.value, value, this.#arguments(filter.args, scope));
  }

  #arguments(nodes: readonly Node[], scope: Scope): Arguments {
    const positional: Value[] = [];
    const named = new Map<string, Value>();
    const addNamed = (name: string, value: Value) => {
      if (named.has(name)) {
        throw new TemplateError(`got multiple values for keyword argument '${name}'`);
      }
      named.set(name, value);
    };
    for (const node of nodes) {
      if (node.type === "KeywordArgumentExpression") {
        addNamed(node.key.value, this.#value(node.value, scope));
      } else if (node.type === "SpreadExpression") {
        positional.push(...iterate(this.#value(node.argument, scope)));
      } else if (node.type === "KeywordSpreadExpression") {
        const dict = this.#value(node.argument, scope);
        if (!(dict instanceof Map)) {
          throw new TemplateError(`argument after ** must be a mapping, not ${typeName(dict)}`);
        }
        for (const [name, value] of dict) addNamed(text(name), value);
      } else positional.push(this.#value(node, scope));
    }
    return { positional, named };
  }

  #call(node: Node, scope: Scope, caller?: Callable): Value {
    const called = this.#value(node.callee, scope);
    const callee = called instanceof Instance ? called.options.call ?? called : called;
    if (callee instanceof Undefined) throw new TemplateError(callee.what);
    if (typeof callee !== "function") {
      throw new TemplateError(`'${typeName(callee)}' object is not callable`);
    }
    const args = this.#arguments(node.args, scope);
    if (!caller) return callee(args);
    return callee({ ...args, named: new Map([...args.named, ["caller", caller]]) });
  }

  /** `a.b` is an attribute or, if there is none, an item; `a[b]` is an item or an attribute. */
  #member(node: Node, scope: Scope): Value {
    const owner = this.#value(node.object, scope);
    assertDefined(owner);
    if (typeof owner === "function") {
      throw new TemplateError("attributes of functions and macros are not supported");
    }
    if (node.computed && node.property.type === "SliceExpression") {
      const bounds = [node.property.start, node.property.stop, node.property.step];
      return sliceOf(
        owner,
        bounds.map((bound: Node | undefined) => bound && this.#value(bound, scope)),
      );
    }
    const key: Value = node.computed ? this.#value(node.property, scope) : node.property.value;
    const attribute = () => {
      if (typeof key !== "string") return undefined;
      return owner instanceof Namespace ? owner.attributes.get(key) : attributeIn(owner, key);
    };
    let found = node.computed ? itemOf(owner, key) : attribute();
    if (found === undefined) found = node.computed ? attribute() : itemOf(owner, key);
    return orUndefined(
      found,
      () => `'${typeName(owner)} object' has no attribute ${representation(key)}`,
    );
  }
}

const NO_ARGUMENTS: Arguments = { positional: [], named: new Map() };

/**
 * Whether an expression is jinja2's Markup, which escapes what is added to it. It is told by how the expression is
 * written: text in a variable is plain again.
 */
function isMarkup(node: Node): boolean {
  if (node.type === "BinaryExpression" && node.operator.value === "+") {
    return isMarkup(node.left) || isMarkup(node.right);
  }
  if (node.type !== "FilterExpression") return false;
  const name = node.filter.value ?? node.filter.callee?.value;
  return name === "safe" || name === "escape" || name === "e" || name === "forceescape";
}

/** A value, or that it is undefined: None is a value. */
function orUndefined(value: Value | undefined, what: () => string): Value {
  return value === undefined ? new Undefined(what()) : value;
}

function makeNamespace({ positional, named }: Arguments): Namespace {
  const entries = entriesOf("namespace", positional, named);
  for (const key of entries.keys()) assertPublic(text(key));
  return new Namespace(new Map(Array.from(entries, ([key, value]) => [text(key), value])));
}

/** transformers refuses these, which its sandbox would not let a template read. */
function assertPublic(name: string): void {
  if (!name.startsWith("_")) return;
  throw new TemplateError(`a namespace cannot have the attribute "${name}", which begins with "_"`);
}

function entriesOf(
  name: string,
  positional: readonly Value[],
  named: ReadonlyMap<string, Value>,
): Map<Value, Value> {
  const { source } = bind(name, { positional, named: new Map() }, { source: null });
  const pairs: Iterable<[Value, Value]> = source === null
    ? []
    : source instanceof Map
    ? source
    : iterate(source).map((pair) => {
      const items = iterate(pair);
      if (items.length !== 2) {
        throw new TemplateError(`a pair was expected, not ${items.length} items`);
      }
      return items as [Value, Value];
    });
  const entries = new Map<Value, Value>();
  for (const [key, value] of pairs) setEntry(entries, key, value);
  for (const [key, value] of named) entries.set(key, value);
  return entries;
}

function makeJoiner(args: Arguments): Callable {
  const { sep } = bind("joiner", args, { sep: ", " });
  let used = false;
  return () => {
    const written = used ? sep : "";
    used = true;
    return written;
  };
}

function makeCycler({ positional, named }: Arguments): Instance {
  if (named.size > 0) throw new TemplateError("cycler() takes no keyword arguments");
  if (positional.length === 0) throw new TemplateError("at least one item has to be provided");
  let at = 0;
  const attributes = new Map<string, Value>();
  const go = (to: number) => {
    at = to % positional.length;
    attributes.set("current", positional[at]!);
  };
  attributes.set("next", (args) => {
    bind("next", args, {});
    const item = positional[at]!;
    go(at + 1);
    return item;
  });
  attributes.set("reset", (args) => {
    bind("reset", args, {});
    go(0);
    return null;
  });
  go(0);
  return new Instance("Cycler", attributes);
}

function unsupported(name: string): Callable {
  return () => {
    throw new TemplateError(`"${name}" is not supported`);
  };
}

/** Whether a macro's body reads a name, for the two that jinja2 gives only where they are read. */
function uses(nodes: unknown, name: string): boolean {
  if (Array.isArray(nodes)) return nodes.some((node) => uses(node, name));
  if (nodes instanceof Map) return uses([...nodes].flat(), name);
  if (nodes === null || typeof nodes !== "object") return false;
  const node = nodes as Node;
  if (node.type === "Identifier") return node.value === name;
  return uses(Object.values(node), name);
}
