// The cells that a kernel has run, for clients that ask for earlier input.

type Entry = [session: number, line: number, input: string];

/** What a `history_request` asks for. */
export interface HistoryRequest {
  hist_access_type?: "range" | "tail" | "search";
  /** For a range: 0 is the current session, and the only one. */
  session?: number;
  start?: number;
  stop?: number;
  /** For tail and search: the maximum number of entries. */
  n?: number;
  /** For a search: a pattern with `*` and `?`, as in file names. */
  pattern?: string;
  /** For a search: whether repeated inputs are returned once. */
  unique?: boolean;
  /** Whether outputs are requested; they are not kept, so they are null. */
  output?: boolean;
}

/** The inputs of one kernel. */
export class History {
  #entries: Entry[] = [];

  /** Adds a cell under its execution count. */
  add(count: number, input: string): void {
    this.#entries.push([0, count, input]);
  }

  /** The requested entries, oldest first, in the form of the protocol. */
  find(request: HistoryRequest): unknown[] {
    const { n = 1000 } = request;
    let found = this.#entries;
    switch (request.hist_access_type) {
      case "range": {
        const { start = 0, stop = Infinity } = request;
        found = found.filter(([, line]) => line >= start && line < stop);
        break;
      }
      case "search": {
        const pattern = globPattern(request.pattern ?? "*");
        found = found.filter(([, , input]) => pattern.test(input));
        if (request.unique) {
          found = found.filter(([, , input], i) =>
            found.findLastIndex((e) => e[2] === input) === i
          );
        }
        found = found.slice(-n);
        break;
      }
      default:
        found = n === 0 ? [] : found.slice(-n);
    }
    return found.map(([session, line, input]) =>
      request.output ? [session, line, [input, null]] : [session, line, input]
    );
  }
}

function globPattern(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
}
