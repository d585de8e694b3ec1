// The exercises of chapter 9. The solutions here are independent of the library, which they check.

import type { ChatMessage } from "tunebook";
import { exercise } from "tunebook/course";

const write = (messages: ChatMessage[], prompt: boolean, end = "<|im_end|>\n") =>
  messages.map(({ role, content }) => `<|im_start|>${role}\n${content}${end}`).join("") +
  (prompt ? "<|im_start|>assistant\n" : "");

const ASKED: ChatMessage[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hello" },
];
const ANSWERED: ChatMessage[] = [
  { role: "user", content: "Hello" },
  { role: "assistant", content: "Hello! How are you?" },
];

export const chatml = exercise({
  title: "9.1 A chat template by hand",
  inputs: [[ASKED, true], [ANSWERED, false], [[ASKED[1]], true]] as [ChatMessage[], boolean][],
  solution: (messages: ChatMessage[], prompt: boolean) => write(messages, prompt),
  mistakes: {
    "A prompt must open the assistant's turn, or the model continues as the user": (
      messages: ChatMessage[],
      _: boolean,
    ) => write(messages, false),
    "The assistant's turn is always opened, even if no answer is wanted": (
      messages: ChatMessage[],
      _: boolean,
    ) => write(messages, true),
    "Messages are not closed: without <|im_end|> the model never learns to stop": (
      messages: ChatMessage[],
      prompt: boolean,
    ) => write(messages, prompt, "\n"),
    "The line break after <|im_end|> is missing: other tokens than in training": (
      messages: ChatMessage[],
      prompt: boolean,
    ) => write(messages, prompt, "<|im_end|>"),
  },
  hint: "What is there before and after the content of a message, and where are the line breaks?",
});

export const storedBytes = exercise({
  title: "9.2 How large is the file?",
  inputs: [[134_515_008, 5], [354_823_168, 16], [7_000_000_000, 4.5]],
  solution: (weights: number, bits: number) => weights * bits / 8,
  mistakes: {
    "These are bits: a byte has eight": (weights: number, bits: number) => weights * bits,
    "This is the size in float32; these weights have fewer bits": (
      weights: number,
      _: number,
    ) => 4 * weights,
  },
  hint: "How many bits has the whole file, and how many bits has a byte?",
});

export const trainingBytes = exercise({
  title: "9.3 What learns costs more",
  inputs: [[1000, 0], [1000, 10], [134_515_008, 2_442_240]],
  solution: (weights: number, adapters: number) =>
    adapters === 0 ? 16 * weights : 4 * weights + 16 * adapters,
  mistakes: {
    "The optimizer keeps two numbers for each weight that learns": (
      weights: number,
      adapters: number,
    ) => adapters === 0 ? 12 * weights : 4 * weights + 12 * adapters,
    "Frozen weights have no gradients and no moments": (weights: number, adapters: number) =>
      16 * (weights + adapters),
    "With adapters the frozen weights are still there": (weights: number, adapters: number) =>
      adapters === 0 ? 16 * weights : 16 * adapters,
    "The adapters are weights too: they are stored beside their gradients and moments": (
      weights: number,
      adapters: number,
    ) => adapters === 0 ? 16 * weights : 4 * weights + 12 * adapters,
  },
  hint: "Which numbers are kept for each weight that learns, and which for a frozen one?",
});

export const keptNumbers = exercise({
  title: "9.4 Recomputing",
  inputs: [[24, 20, 1, false], [24, 20, 1, true], [1, 20, 1, true], [4, 12, 2, true]],
  solution: (layers: number, perBlock: number, perInput: number, recompute: boolean) =>
    recompute ? layers * perInput + perBlock : layers * perBlock,
  mistakes: {
    "The block that is being computed again is in memory too": (
      layers: number,
      perBlock: number,
      perInput: number,
      recompute: boolean,
    ) => layers * (recompute ? perInput : perBlock),
    "Recomputing changes nothing here": (
      layers: number,
      perBlock: number,
      _: number,
      __: boolean,
    ) => layers * perBlock,
    "Only one block's input is kept; each block must be entered again": (
      layers: number,
      perBlock: number,
      perInput: number,
      recompute: boolean,
    ) => recompute ? perInput + perBlock : layers * perBlock,
  },
  hint: "What must be kept of every block, and of how many blocks at a time is everything there?",
});

export const cacheBytes = exercise({
  title: "9.5 The cache of a conversation",
  inputs: [[30, 3, 64, 2048], [24, 16, 64, 1024], [4, 4, 32, 100]],
  solution: (layers: number, kvHeads: number, headDim: number, tokens: number) =>
    4 * 2 * layers * kvHeads * headDim * tokens,
  mistakes: {
    "Keys and values are both cached": (
      layers: number,
      kvHeads: number,
      headDim: number,
      tokens: number,
    ) => 4 * layers * kvHeads * headDim * tokens,
    "This counts numbers, not bytes: each has 4": (
      layers: number,
      kvHeads: number,
      headDim: number,
      tokens: number,
    ) => 2 * layers * kvHeads * headDim * tokens,
    "Every block has a cache of its own": (
      _: number,
      kvHeads: number,
      headDim: number,
      tokens: number,
    ) => 4 * 2 * kvHeads * headDim * tokens,
  },
  hint: "How many numbers does one token add in one block?",
});
