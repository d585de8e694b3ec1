// A MarkStore in memory, and a course of made-up answers, for tests and for looking at.

import {
  type AnswerContent,
  type Appended,
  judgeMark,
  type Mark,
  type MarkedQuestion,
  type MarkStore,
  type NewMark,
  type WrittenAnswer,
} from "../../lib/grade/serve/store.ts";
import type { Notebook } from "../../lib/runtime/notebook.ts";
import { code, markdown, notebookOf, stream } from "../runtime/report/sample.ts";

/** Keeps everything that was ever marked. */
export class MemoryMarks implements MarkStore {
  readonly secret = "a secret for tests";
  readonly history: Mark[] = [];
  readonly aside: NewMark[] = [];
  readonly #comments: { id: string; text: string; question: string }[] = [];

  constructor(
    readonly given: readonly MarkedQuestion[],
    readonly written: readonly (WrittenAnswer & AnswerContent)[],
    readonly notebooks: ReadonlyMap<string, Notebook> = new Map(),
  ) {}

  async questions() {
    return this.given;
  }

  async answers(question: string) {
    return this.written.filter((answer) => answer.question === question);
  }

  async content(answer: string) {
    return this.written.find(({ id }) => id === answer)!;
  }

  async submission(answer: string) {
    return this.notebooks.get(answer);
  }

  /** The newest mark of an answer. */
  newest(answer: string): Mark | undefined {
    return this.history.findLast((mark) => mark.answer === answer);
  }

  async marks(question: string) {
    return this.written.filter((answer) => answer.question === question)
      .flatMap(({ id }) => this.newest(id) ?? []);
  }

  async append(mark: NewMark, base: number): Promise<Appended> {
    const current = this.newest(mark.answer);
    const judgement = judgeMark(current, mark, base);
    if (judgement === "known") return { saved: true, mark: current! };
    if (judgement === "conflict") {
      this.aside.push(mark);
      return { saved: false, current: current! };
    }
    const at = new Date(1_770_000_000_000 + this.history.length).toISOString();
    const saved = { ...mark, version: (current?.version ?? 0) + 1, at };
    this.history.push(saved);
    return { saved: true, mark: saved };
  }

  async comments(question: string) {
    return this.#comments.filter((comment) => comment.question === question);
  }

  async addComment(question: string, text: string) {
    const known = this.#comments.find((one) => one.question === question && one.text === text);
    if (known !== undefined) return known;
    const comment = { id: String(this.#comments.length), text, question };
    this.#comments.push(comment);
    return comment;
  }
}

/** What ten students wrote. */
export const ANSWERS: readonly string[] = [
  "The training loss keeps falling because the model **memorises** the examples, while the validation loss rises: it has begun to *overfit*. I would stop at the lowest validation loss and keep that checkpoint.",
  "Because the learning rate is too high.",
  "After epoch 3 the gap $L_{val} - L_{train}$ grows. More data, dropout, or a smaller rank for LoRA would narrow it:\n\n- stop early\n- mix in general data\n- lower the rank",
  "I don't know, but the curve looks strange.",
  "Overfitting. See the plot in my notebook.",
  "The validation set has other prompts than the training set, so the loss must be higher there.",
  "```ts\nconst gap = validation.at(-1)! - train.at(-1)!;\n```\nThe gap is 0.8, so the network fits noise.",
  "",
  "The model sees every example eight times. From the fourth time on it learns **which answer belongs to which prompt** by heart.",
  "Validation loss rises as weights grow; weight decay would help, and so would stopping early.",
];

/** Ten answers to one question with a rubric, ten to one without. */
export function sampleMarks(answers: readonly string[] = ANSWERS): MemoryMarks {
  const questions: MarkedQuestion[] = [
    {
      id: "week3/why",
      title: "Why does the validation loss rise?",
      maxPoints: 5,
      prompt:
        "The validation loss falls for three epochs and then **rises**, while the training loss keeps falling. Why, and what would you do?",
      scheme: "Overfitting (2), the gap between the curves (2), a remedy (1).",
      rubric: [
        { id: "names", label: "Names overfitting", points: 2 },
        { id: "gap", label: "Points to the gap between the curves", points: 2 },
        { id: "remedy", label: "Gives a remedy that fits", points: 1 },
        { id: "wrong", label: "Says something false about the data", points: -1 },
      ],
    },
    { id: "week3/plan", title: "What would you try next?", maxPoints: 3, rubric: [] },
  ];
  const notebooks = new Map<string, Notebook>();
  const written = questions.flatMap(({ id: question }) =>
    answers.map((source, i): WrittenAnswer & AnswerContent => {
      const student = `student${i + 1}`;
      const id = `${question}/${student}`;
      const cell = markdown(source);
      notebooks.set(
        id,
        notebookOf(
          markdown("# Fine-tune and evaluate"),
          code("const losses = await train();\nconsole.log(losses.at(-1));", [stream("2.13\n")]),
          cell,
        ),
      );
      const findings = ["Structure: The plan: 12 words; expected at least 40"];
      return { id, question, student, cell, findings };
    })
  );
  return new MemoryMarks(questions, written, notebooks);
}
