// Templates for Ollama: what they say. That Ollama writes by them what we write is tests/parity's.

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { alpaca } from "../../lib/text/alpaca.ts";
import { CHAT_STYLES, chatTemplateOf } from "../../lib/text/chat_formats.ts";
import { ChatTemplate } from "../../lib/text/chat_template.ts";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { HuggingFaceTokenizer } from "../../lib/text/hugging_face.ts";
import { chatToOllama, formatToOllama } from "../../lib/text/ollama_template.ts";
import { byteLevelTokenizers } from "./small_tokenizers.ts";

const chatty = new HuggingFaceTokenizer(byteLevelTokenizers()[0]); // begins texts with <|im_start|>

Deno.test("formatToOllama() puts what the user says where the instruction stands", () => {
  assertEquals(formatToOllama(alpaca, gpt2Tokenizer()), {
    template: "Below is an instruction that describes a task. " +
      "Write a response that appropriately completes the request." +
      "\n\n### Instruction:\n{{ .Prompt }}\n\n### Response:\n{{ .Response }}<|endoftext|>",
    stop: ["<|endoftext|>"],
    addBos: false,
  });
});

Deno.test("chatToOllama() writes what a chat template writes around messages", () => {
  const { template, stop, addBos } = chatToOllama(chatTemplateOf(chatty, "chatml"), chatty);
  assertEquals(stop, ["<|im_end|>"]);
  // <|im_start|> is this tokenizer's beginning token, which Ollama puts there by itself
  assertEquals(addBos, true);
  assertEquals(
    template,
    '{{ $last := "" }}{{ range $i, $m := .Messages }}{{ $last = .Role }}' +
      '{{ if eq .Role "system" }}system\n{{ .Content }}' +
      '{{ else if eq .Role "user" }}{{ if eq $i 0 }}user\n' +
      '{{ else if and (eq $i 1) (eq (index $.Messages 0).Role "system") }}' +
      "<|im_end|>\n<|im_start|>user\n{{ else }}<|im_end|>\n<|im_start|>user\n{{ end }}{{ .Content }}" +
      '{{ else if eq .Role "assistant" }}<|im_end|>\n<|im_start|>assistant\n{{ .Content }}{{ end }}{{ end }}' +
      '{{ if ne $last "assistant" }}<|im_end|>\n<|im_start|>assistant\n{{ end }}',
  );
  for (const style of CHAT_STYLES) {
    const { template } = chatToOllama(chatTemplateOf(chatty, style), chatty);
    assertEquals(template.split("{{ .Content }}").length, 4, style);
  }
});

Deno.test("chatToOllama() leaves out what a template has no place for, and keeps braces", () => {
  const noSystem = new ChatTemplate(
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}" +
      "{{ '{{' + m.role + '}}' + m.content }}{% endfor %}{% if add_generation_prompt %}{{ '{{assistant}}' }}{% endif %}",
  );
  const { template, stop } = chatToOllama(noSystem, gpt2Tokenizer());
  assertEquals(template.includes("system"), false);
  assertStringIncludes(template, '{{ if eq $i 0 }}{{ "{{" }}user{{ "}}" }}');
  assertEquals(stop, ["<|endoftext|>"]);
});

Deno.test("chatToOllama() refuses a template that does not write messages one after the other", () => {
  const cases: [source: string, message: string][] = [
    [
      "{% for m in messages %}{{ m.content + m.content }}{% endfor %}",
      "it does not write each message once, in order",
    ],
    [
      "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}",
      "it begins differently if more follows",
    ],
  ];
  for (const [source, message] of cases) {
    assertThrows(() => chatToOllama(new ChatTemplate(source), chatty), TypeError, message);
  }
});
