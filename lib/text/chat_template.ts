/**
 * Chat templates: convert a conversation to one text. They are written in Jinja, come from Hugging
 * Face's `tokenizer_config.json` or GGUF files, and are rendered as transformers renders them.
 */
import { assertKnownOptions, type OptionNames } from "../options.ts";
import {
  type Arguments,
  BudgetError,
  type CompiledTemplate,
  compileTemplate,
  rangeOf,
  TemplateError,
  text as textOf,
  type Written,
} from "./jinja/mod.ts";
import { strftime } from "./strftime.ts";

/** One message of a conversation. */
export interface ChatMessage {
  /** The speaker: `"system"`, `"user"`, `"assistant"` or another role that the template knows. */
  role: string;
  /** The text of the message; empty where an assistant only calls tools. */
  content: string;
  /** What the assistant thought before it answered, for templates that write `reasoning_content`. */
  reasoning_content?: string;
  /** The same, for templates that write `thinking`. */
  thinking?: string;
  /** The tools that the assistant calls, as the template reads them: in OpenAI's form, mostly. */
  tool_calls?: readonly Readonly<Record<string, unknown>>[];
  /** The call that a tool's message answers. Most templates do not write it. */
  tool_call_id?: string;
  /** The speaker's or the tool's name. Most templates do not write it. */
  name?: string;
  /** The weight of an assistant's answer in losses, 0 or more: 0 leaves it out. 1 by default. */
  weight?: number;
}

/** A tool that a model may call, as the template reads it: in OpenAI's form, mostly. */
export type ChatTool = Readonly<Record<string, unknown>>;

/** Options of {@linkcode ChatTemplate.render}. */
export interface RenderOptions {
  /**
   * Whether to end with the generation prompt.
   *
   * @default {false}
   */
  prompt?: boolean;
  /** The tools that the model may call; none by default. */
  tools?: readonly ChatTool[];
}

/** The names of {@linkcode RenderOptions}. */
const RENDER_OPTIONS: OptionNames<RenderOptions> = { prompt: true, tools: true };

/** Options of {@linkcode ChatTemplate}. */
export interface ChatTemplateOptions {
  /**
   * Its name in errors.
   *
   * @default {"chat template"}
   */
  name?: string;
  /** Variables besides `messages` and `add_generation_prompt`, such as `bos_token`. */
  variables?: Readonly<Record<string, unknown>>;
}

/** The names of {@linkcode ChatTemplateOptions}. */
export const CHAT_TEMPLATE_OPTIONS: OptionNames<ChatTemplateOptions> = {
  name: true,
  variables: true,
};

/** The most numbers that `range()` may produce in one rendering. */
const MOST_COUNTED = 1 << 20;

/**
 * A chat template.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ChatTemplate } from "tunebook/text";
 *
 * const template = new ChatTemplate(
 *   "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}" +
 *     "{% if add_generation_prompt %}assistant: {% endif %}",
 * );
 * const messages = [{ role: "user", content: "Hi" }];
 * assertEquals(template.render(messages, { prompt: true }), "user: Hi\nassistant: ");
 * ```
 */
export class ChatTemplate {
  /** Its name. */
  readonly name: string;
  /** Its text. */
  readonly source: string;
  readonly #template: CompiledTemplate;
  readonly #variables: Readonly<Record<string, unknown>>;

  /**
   * Reads a template.
   *
   * @param source The template's text.
   * @param options Its name and variables.
   * @throws {SyntaxError} If the template cannot be parsed.
   */
  constructor(source: string, options: ChatTemplateOptions = {}) {
    assertKnownOptions("read a template", options, CHAT_TEMPLATE_OPTIONS);
    const { name = "chat template", variables = {} } = options;
    this.name = name;
    this.source = source;
    this.#variables = variables;
    try {
      this.#template = compileTemplate(source);
    } catch (cause) {
      throw new SyntaxError(`Cannot read the template "${name}": ${reason(cause)}`, { cause });
    }
  }

  /** The same template with more variables. */
  with(variables: Readonly<Record<string, unknown>>): ChatTemplate {
    return new ChatTemplate(this.source, {
      name: this.name,
      variables: { ...this.#variables, ...variables },
    });
  }

  /**
   * Writes a conversation.
   *
   * @param messages The messages.
   * @param options Whether to end with the generation prompt, and the tools.
   * @returns The text.
   * @throws {TypeError} If the template refuses the conversation, or cannot be rendered.
   * @throws {RangeError} If it does not stop writing.
   */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    return this.renderMarked(messages, options).text;
  }

  /** Whether it marks by `{% generation %}` what an assistant said, as transformers reads it. */
  get isMarked(): boolean {
    return this.#template.isMarked;
  }

  /** @internal The text of {@linkcode render}, with the places that `{% generation %}` marks. */
  renderMarked(messages: readonly ChatMessage[], options: RenderOptions = {}): Written {
    assertKnownOptions("write a conversation", options, RENDER_OPTIONS);
    const { prompt = false, tools } = options;
    try {
      return this.#template.renderMarked({
        ...this.#globals(),
        ...(tools && { tools }),
        // The weight is for the loss: no template knows it.
        messages: messages.map(({ weight: _, ...message }) => message),
        add_generation_prompt: prompt,
      });
    } catch (cause) {
      if (cause instanceof BudgetError || cause instanceof RangeError) throw this.#endless(cause);
      const what = cause instanceof RefusalError ? "it refuses them" : "it fails";
      throw new TypeError(
        `Cannot write ${messages.length} messages by the template "${this.name}": ${what}: ${
          reason(cause)
        }`,
        { cause },
      );
    }
  }

  #endless(cause: Error): RangeError {
    return new RangeError(`Cannot write by the template "${this.name}": ${reason(cause)}`, {
      cause,
    });
  }

  /** The functions that every template may use. */
  #globals(): Record<string, unknown> {
    let counted = 0;
    return {
      raise_exception: ({ positional }: Arguments) => {
        throw new RefusalError(textOf(positional[0] ?? null));
      },
      range: ({ positional }: Arguments) => {
        const whole = positional.map((value) => typeof value === "boolean" ? Number(value) : value);
        if (
          !whole.every((value) => typeof value === "number") || whole.length < 1 || whole.length > 3
        ) {
          throw new TemplateError("range() takes one to three whole numbers");
        }
        const [first = 0, second, step = 1] = whole;
        const [from, to] = second === undefined ? [0, first] : [first, second];
        if (step === 0) throw new TemplateError("range() arg 3 must not be zero");
        const count = Math.max(0, Math.ceil((to - from) / step));
        if ((counted += count) > MOST_COUNTED) {
          throw new BudgetError(`it counts beyond ${MOST_COUNTED}`);
        }
        return rangeOf(from, to, step);
      },
      // transformers defines both in every template, as None where there are none
      tools: null,
      documents: null,
      // without the current date, a template gives the same text every day
      ...(!/strftime_now\s+is\s+defined/.test(this.source) &&
        {
          strftime_now: ({ positional }: Arguments) =>
            strftime(textOf(positional[0] ?? null), new Date()),
        }),
      ...this.#variables,
    };
  }
}

/** Thrown by `raise_exception`. */
class RefusalError extends Error {}

function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s+/g, " ").replace(/\.$/, "").slice(0, 300);
}
