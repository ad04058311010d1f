import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';

/** JSON as people write it into settings: with comments, and with commas at the end. */
export const jsoncOptions = { disallowComments: false, allowTrailingComma: true };

/** @returns the value, and what is wrong with the text, such as `is not JSON (…)`; null: nothing */
export function readJsonc(text: string): { readonly value: unknown; readonly fault: string | null } {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, jsoncOptions);
  const [error] = errors;
  if (error === undefined) return { value, fault: null };
  return {
    value,
    fault: `is not JSON (${printParseErrorCode(error.error)} at character ${String(error.offset)})`,
  };
}
