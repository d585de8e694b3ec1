// The types of nbformat 4.5, as notebooks are held in memory.

/** Display data keyed by MIME type; JSON types hold values, all others strings. */
export type MimeBundle = Record<string, unknown>;

/** What a code cell wrote to standard output or standard error. */
export interface StreamOutput {
  /** The kind of output. */
  output_type: "stream";
  /** `"stdout"` or `"stderr"`. */
  name: string;
  /** The text. */
  text: string;
}

/** Something shown with `Deno.jupyter.display` or broadcast as `display_data`. */
export interface DisplayDataOutput {
  /** The kind of output. */
  output_type: "display_data";
  /** The output by MIME type. */
  data: MimeBundle;
  /** Its metadata. */
  metadata: Record<string, unknown>;
}

/** The value of a cell's last expression. */
export interface ExecuteResultOutput {
  /** The kind of output. */
  output_type: "execute_result";
  /** The number in front of the cell; null where it was not run. */
  execution_count: number | null;
  /** The output by MIME type. */
  data: MimeBundle;
  /** Its metadata. */
  metadata: Record<string, unknown>;
}

/** An error that ended a cell. */
export interface ErrorOutput {
  /** The kind of output. */
  output_type: "error";
  /** The name of the error. */
  ename: string;
  /** The message of the error. */
  evalue: string;
  /** The lines of the stack trace. */
  traceback: string[];
}

/** One output of a code cell. */
export type Output = StreamOutput | DisplayDataOutput | ExecuteResultOutput | ErrorOutput;

/** Metadata that all cells may have; other keys are kept unchanged. */
export interface CellMetadata {
  /** For example `"parameters"`, `"skip"`, `"raises-exception"`, `"remove-input"`. */
  tags?: string[];
  /** The name of the cell, for links. */
  name?: string;
  /** Any other entry. */
  [key: string]: unknown;
}

/** A code cell with the outputs of its last run. */
export interface CodeCell {
  /** The kind of cell. */
  cell_type: "code";
  /** 1 to 64 of `a-z A-Z 0-9 - _`, unique in the notebook. */
  id: string;
  /** Its metadata. */
  metadata: CellMetadata;
  /** The text of the cell. */
  source: string;
  /** The number in front of the cell; null where it was not run. */
  execution_count: number | null;
  /** The outputs in order. */
  outputs: Output[];
}

/** A cell of Markdown. */
export interface MarkdownCell {
  /** The kind of cell. */
  cell_type: "markdown";
  /** Its id, unique in the notebook. */
  id: string;
  /** Its metadata. */
  metadata: CellMetadata;
  /** The text of the cell. */
  source: string;
  /** Files that the text refers to as `attachment:name`. */
  attachments?: Record<string, MimeBundle>;
}

/** A cell that is neither run nor rendered. */
export interface RawCell {
  /** The kind of cell. */
  cell_type: "raw";
  /** Its id, unique in the notebook. */
  id: string;
  /** Its metadata. */
  metadata: CellMetadata;
  /** The text of the cell. */
  source: string;
  /** Pictures of the text, by name. */
  attachments?: Record<string, MimeBundle>;
}

/** A cell; `cell_type` distinguishes the kinds. */
export type Cell = CodeCell | MarkdownCell | RawCell;

/** Metadata of a notebook; other keys are kept unchanged. */
export interface NotebookMetadata {
  /** The kernel that the notebook is written for. */
  kernelspec?: { name: string; display_name: string; language?: string; [key: string]: unknown };
  /** The language that the kernel told. */
  language_info?: { name: string; version?: string; [key: string]: unknown };
  /** The title. */
  title?: string;
  /** Any other entry. */
  [key: string]: unknown;
}

/** A notebook in nbformat 4.5. */
export interface Notebook {
  /** The major version of the format. */
  nbformat: 4;
  /** The minor version of the format. */
  nbformat_minor: 5;
  /** Its metadata. */
  metadata: NotebookMetadata;
  /** The cells in order. */
  cells: Cell[];
}
