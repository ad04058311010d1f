import Table from 'cli-table3';
import { noStyle, type Style } from './style.js';

export interface Column {
  readonly head: string;
  /** The smallest width when the terminal is too narrow; other columns are never cut. */
  readonly shrinksTo?: number;
  /** Left out, the last such column first, where the others do not fit otherwise; `--json` has all of it. */
  readonly optional?: true;
  /** Colours a cell. Only of columns that do not shrink: escape sequences must not be cut. */
  readonly paint?: ((text: string) => string) | undefined;
}

const gap = 2;
const noLines = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' },
  ...{ 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '' },
  ...{ 'right-mid': '', middle: ' '.repeat(gap) },
};

/** Rows under their heads, at most as wide as the terminal if columns can shrink. Cells are safe text. */
export function columnsText(
  all: readonly Column[],
  cells: readonly (readonly string[])[],
  width: number,
  style: Pick<Style, 'bold'> = noStyle,
): string {
  const kept = columnsThatFit(all, cells, width);
  const [columns, rows] = [
    kept.flatMap((at) => all[at] ?? []),
    cells.map((row) => kept.map((at) => row[at] ?? '')),
  ];
  const table = new Table({
    head: columns.map(({ head }) => style.bold(head)),
    colWidths: widthsOf(columns, rows, width),
    chars: noLines,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => row.map((cell, i) => columns[i]?.paint?.(cell) ?? cell)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** The places of the columns that are shown. */
function columnsThatFit(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly number[] {
  let kept = [...columns.keys()];
  const least = columns.map(({ head, shrinksTo = Infinity }, at) =>
    Math.min(shrinksTo, naturalWidth(head, rows, at)),
  );
  const needed = () => kept.reduce((sum, at) => sum + (least[at] ?? 0), gap * (kept.length - 1));
  while (needed() > width) {
    const last = kept.findLast((at) => columns[at]?.optional === true);
    if (last === undefined) break;
    kept = kept.filter((at) => at !== last);
  }
  return kept;
}

const naturalWidth = (head: string, rows: readonly (readonly string[])[], at: number): number =>
  Math.max(...[head, ...rows.map((row) => row[at] ?? '')].map(displayWidth));

function widthsOf(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): number[] {
  const widths = columns.map(({ head }, i) => naturalWidth(head, rows, i));
  let over = widths.reduce((sum, w) => sum + w, gap * (columns.length - 1)) - width;
  for (; over > 0; over--) {
    const at = widestThatShrinks(columns, widths);
    if (at === -1) break;
    widths[at] = (widths[at] ?? 0) - 1;
  }
  return widths;
}

function widestThatShrinks(columns: readonly Column[], widths: readonly number[]): number {
  let found = -1;
  for (const [i, { shrinksTo }] of columns.entries())
    if (shrinksTo !== undefined && (widths[i] ?? 0) > shrinksTo && (widths[i] ?? 0) > (widths[found] ?? 0))
      found = i;
  return found;
}

/** Punctuation, arrows and shapes of one column, within the scripts that have two. */
const narrow = /^(?!\p{Emoji_Presentation})[\u2000-\u2e7f]/u;

/** Columns that a text takes at most; characters from U+1100 on may be wide ones. */
export const displayWidth = (text: string): number =>
  [...new Intl.Segmenter().segment(text)].reduce(
    (sum, { segment }) => sum + ((segment.codePointAt(0) ?? 0) >= 0x1100 && !narrow.test(segment) ? 2 : 1),
    0,
  );

/** The lines of a text, each at most this wide; nothing of it is lost. */
export function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let [current, used] = ['', 0];
    for (const { segment } of new Intl.Segmenter().segment(line)) {
      const wide = displayWidth(segment);
      if (used + wide > width && current !== '') {
        lines.push(current);
        [current, used] = ['', 0];
      }
      current += segment;
      used += wide;
    }
    return [...lines, current];
  });
}

/** The text, or its beginning and an ellipsis, at most this wide. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const [first = ''] = wrapped(text, Math.max(1, width - 1));
  return `${first}…`;
}
