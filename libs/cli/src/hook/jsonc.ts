import { type ParseError, parse, printParseErrorCode, visit } from 'jsonc-parser';

/** JSON as people write it into settings: with comments, and with commas at the end. */
export const jsoncOptions = { disallowComments: false, allowTrailingComma: true };

/** @returns the value, and what is wrong with the text, such as `is not JSON (…)`; null: nothing */
export function readJsonc(text: string): { readonly value: unknown; readonly fault: string | null } {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, jsoncOptions);
  const [error] = errors;
  const fault =
    error === undefined
      ? repeatedName(text)
      : `is not JSON (${printParseErrorCode(error.error)} at character ${String(error.offset)})`;
  return { value, fault };
}

/** Of two members with one name some readers take the first and others the last, so nobody knows which one holds. */
function repeatedName(text: string): string | null {
  const open: Set<string>[] = [];
  let fault: string | null = null;
  visit(
    text,
    {
      onObjectBegin: () => void open.push(new Set()),
      onObjectProperty: (name, offset) => {
        const names = open.at(-1);
        if (names?.has(name) === true)
          fault ??= `has a second member ${JSON.stringify(name)} in one object, at character ${String(offset)}`;
        names?.add(name);
      },
      onObjectEnd: () => void open.pop(),
    },
    jsoncOptions,
  );
  return fault;
}
