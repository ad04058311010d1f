import { type JSONPath, visit } from 'jsonc-parser';
import { maxJsonDepth } from './json-scan.js';

export interface JsonFault {
  readonly pointer: string;
  readonly detail: string;
}

/**
 * Values that JSON programs disagree about (decisions §2.6, RFC 7493): duplicate names, lone surrogates, integers that do not
 * survive a round trip, NUL characters, names with a backslash, numbers beyond a double, and very deep nesting. Slow: only
 * for texts that `isPlainJson` did not clear.
 * @param text JSON; for other texts the result may be incomplete
 */
export function jsonFaults(text: string): readonly JsonFault[] {
  const faults: JsonFault[] = [];
  const keys: Set<string>[] = [];
  const fault = (path: JSONPath, detail: string) => {
    if (faults.length < 20) faults.push({ pointer: pointerOf(path), detail });
  };
  const textFault = (value: string) =>
    !value.isWellFormed()
      ? 'holds half of a surrogate pair'
      : value.includes('\0')
        ? 'holds a NUL character'
        : null;
  const enter = (path: JSONPath): boolean => {
    if (path.length <= maxJsonDepth) return true;
    fault(path, `is nested deeper than ${String(maxJsonDepth)}`);
    return false;
  };
  visit(text, {
    onObjectBegin: (_offset, _length, _line, _column, pathOf) => {
      keys.push(new Set());
      return enter(pathOf());
    },
    onArrayBegin: (_offset, _length, _line, _column, pathOf) => enter(pathOf()),
    onObjectEnd: () => void keys.pop(),
    onObjectProperty: (name, _offset, _length, _line, _column, pathOf) => {
      const detail = textFault(name);
      const seen = keys.at(-1);
      if (detail !== null) fault([...pathOf(), name], `its name ${detail}`);
      else if (name.includes('\\')) fault([...pathOf(), name], 'its name holds a backslash');
      else if (seen?.has(name)) fault([...pathOf(), name], 'stands twice');
      seen?.add(name);
    },
    onLiteralValue: (value: unknown, offset, length, _line, _column, pathOf) => {
      if (typeof value === 'string') {
        const detail = textFault(value);
        if (detail !== null) fault(pathOf(), detail);
      } else if (typeof value === 'number') {
        const detail = numberFault(value, text.slice(offset, offset + length));
        if (detail !== null) fault(pathOf(), detail);
      }
    },
  });
  return faults;
}

function numberFault(value: number, written: string): string | null {
  if (!Number.isFinite(value)) return 'is beyond the range of a number';
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return null;
  // 1e21 is exact; more digits than a double can hold are not, in any notation.
  const significant = written
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, '');
  if (!/[eE]/.test(written) || significant.length > 15)
    return 'is an integer that does not survive a round trip';
  return null;
}

const pointerOf = (path: JSONPath) =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
