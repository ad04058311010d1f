import { styleText } from 'node:util';

/** Colours for a terminal; where there are none, the texts stay as they are. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly open: (text: string) => string;
  readonly selected: (text: string) => string;
}

const plain = (text: string) => text;
export const noStyle: Style = {
  bold: plain,
  dim: plain,
  good: plain,
  bad: plain,
  open: plain,
  selected: plain,
};

type Format = Parameters<typeof styleText>[0];
const as = (format: Format) => (text: string) => styleText(format, text, { validateStream: false });
const colours: Style = {
  bold: as('bold'),
  dim: as('dim'),
  good: as('green'),
  bad: as('red'),
  open: as('yellow'),
  selected: as('inverse'),
};

/** https://no-color.org: any value of NO_COLOR turns colours off, as --no-color does. */
export function styleFor(
  isTerminal: boolean,
  env: Readonly<NodeJS.ProcessEnv>,
  wanted: boolean = true,
): Style {
  const isOff = !wanted || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return isTerminal && !isOff ? colours : noStyle;
}

const good = new Set(['approved', 'allow', 'executed', 'active', 'delivered', 'ok']);
const bad = new Set(['denied', 'deny', 'timed_out', 'suspended', 'revoked', 'dead', 'failed', 'disabled']);

/** A status in the colour of its meaning. */
export const statusStyle =
  (style: Style) =>
  (status: string): string =>
    (good.has(status.trim()) ? style.good : bad.has(status.trim()) ? style.bad : style.open)(status);
