import type { Ports } from '../ports.js';
import { exitCode, Failure } from '../exit-code.js';
import { type Column, columnsText } from '../render/columns.js';
import { type Facts, factsText } from '../render/facts-text.js';
import { safeJson, safeText } from '../render/safe-text.js';
import type { Terminal } from '../terminal.js';

export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}
type ReadPage<T> = (page: {
  readonly limit: number;
  readonly cursor: string | undefined;
}) => Promise<Page<T>>;

/** Longest page of the API. */
const pageSize = 200;

/** The first `limit` items of a list. */
export async function firstOf<T>(limit: number, read: ReadPage<T>): Promise<Page<T>> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await read({
      limit: Math.min(pageSize, limit - items.length),
      cursor: cursor ?? undefined,
    });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && items.length < limit);
  return { items, next_cursor: cursor };
}

export interface Listing<T> {
  /** The name of the list in the API. */
  readonly name: string;
  readonly columns: readonly Column[];
  readonly row: (item: T) => readonly string[];
  /** Said when there is nothing. */
  readonly none: string;
}

/** A program that reads the table gets all of it, whatever the terminal beside it is like. */
export const tableWidth = ({ isInteractive, columns }: Terminal): number =>
  isInteractive ? columns : Number.POSITIVE_INFINITY;

/** A list as a table, or as the document of the API. */
export function printList<T>(
  { terminal, json, style }: Ports,
  { items, next_cursor }: Page<T>,
  { name, columns, row, none }: Listing<T>,
): void {
  if (json) return terminal.print(safeJson({ [name]: items, next_cursor }, 2));
  if (items.length === 0) return terminal.say(none);
  terminal.print(columnsText(columns, items.map(row), tableWidth(terminal), style));
  if (next_cursor !== null) terminal.say(`There are more than ${String(items.length)}; --limit shows them.`);
}

/** One thing as facts, or as the document of the API. */
export function printOne(ports: Ports, document: unknown, facts: Facts): void {
  ports.terminal.print(ports.json ? safeJson(document, 2) : factsText(facts, ports.style));
}

/** The result of a change: one sentence, or the document of the API. */
export function printDone({ terminal, json }: Ports, document: unknown, sentence: string): void {
  terminal.print(json ? safeJson(document, 2) : sentence);
}

/** A secret that is shown once: alone on standard output, so that a program can take it. */
export function printSecret(
  { terminal, json }: Ports,
  document: unknown,
  about: string,
  secret: string,
): void {
  if (json) return terminal.print(safeJson(document, 2));
  terminal.say(about);
  terminal.print(secret);
}

/**
 * The one item that an argument names: by its id, or by another text that only one has.
 * @param what such as `agent`
 * @throws Failure when there is none, or more than one
 */
export async function findOne<T extends { readonly id: string }>({
  what,
  argument,
  read,
  names,
}: {
  readonly what: string;
  readonly argument: string;
  readonly read: ReadPage<T>;
  readonly names: (item: T) => readonly string[];
}): Promise<T> {
  const { items } = await firstOf(Number.POSITIVE_INFINITY, read);
  const found = items.filter((item) => item.id === argument || names(item).includes(argument));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  throw new Failure(
    exitCode.refused,
    found.length === 0
      ? `There is no ${what} ${safeText(argument)}. \`al ${what === 'policy' ? 'policies' : `${what}s`} list\` shows what there is.`
      : `${safeText(argument)} names ${String(found.length)} ${what}s: ${found.map(({ id }) => id).join(', ')}. Give the id.`,
    'NOT_FOUND',
  );
}
