/** Where a command writes: results to stdout, messages for a person to stderr. */
export interface Terminal {
  readonly columns: number;
  print(text: string): void;
  say(text: string): void;
}

export const processTerminal: Terminal = {
  get columns() {
    return process.stdout.columns || 120;
  },
  print: (text) => void process.stdout.write(`${text}\n`),
  say: (text) => void process.stderr.write(`${text}\n`),
};
