/** Where a command writes: results to stdout, messages for a person to stderr. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** Whether standard output is shown to a person and not piped. */
  readonly isInteractive: boolean;
  /** Whether standard error is shown to a person and not written to a log. */
  readonly isWatched: boolean;
  print(text: string): void;
  say(text: string): void;
  /** To standard output as it is; awaited, so that a long output is not kept in memory. */
  write(text: string): Promise<void>;
  /** Replaces the last line of standard error that is not finished; an empty text removes it. Only where it is watched. */
  status(text: string): void;
  /** Begins or ends the use of the whole terminal. Meanwhile nothing else is written: it would go in between. */
  screen(isOn: boolean): void;
}

const enterScreen = '\u001b[?1049h\u001b[?25l';
const leaveScreen = '\u001b[?25h\u001b[?1049l';
const clearLine = '\r\u001b[2K';

class ProcessTerminal implements Terminal {
  private hasStatus = false;
  private isScreen = false;

  get columns() {
    return process.stdout.columns || process.stderr.columns || 120;
  }
  get rows() {
    return process.stdout.rows || 24;
  }
  get isInteractive() {
    return process.stdout.isTTY;
  }
  get isWatched() {
    return process.stderr.isTTY;
  }
  print(text: string): void {
    if (this.isScreen) return;
    this.status('');
    process.stdout.write(`${text}\n`);
  }
  say(text: string): void {
    if (this.isScreen) return;
    this.status('');
    process.stderr.write(`${text}\n`);
  }
  async write(text: string): Promise<void> {
    if (process.stdout.write(text)) return;
    await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
  }
  status(text: string): void {
    if (this.isScreen || !this.isWatched || (text === '' && !this.hasStatus)) return;
    process.stderr.write(clearLine + text);
    this.hasStatus = text !== '';
  }
  screen(isOn: boolean): void {
    process.stdout.write(isOn ? enterScreen : leaveScreen);
    this.isScreen = isOn;
  }
}

export const processTerminal: Terminal = new ProcessTerminal();
