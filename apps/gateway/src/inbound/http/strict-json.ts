import { isUtf8 } from 'node:buffer';
import { Refused } from '@agentlattice/contracts';
import { jsonFaults } from '../../domain/json-faults.js';
import { isPlainJson, type JsonScan } from '../../domain/json-scan.js';

/** Invalid UTF-8 would become one replacement character, and different bodies would have the same digest. */
function utf8(body: Buffer): string {
  if (!isUtf8(body)) throw new Refused('INVALID_JSON', 'the body is not UTF-8');
  return body.toString('utf8');
}

/** @throws Refused INVALID_JSON or INVALID_JSON_VALUE */
export function parseStrictly(body: Buffer, scan: JsonScan): unknown {
  const text = utf8(body);
  if (text === '') return undefined;
  // Never parsed: V8 would read later bodies wrongly (nodejs/node#63785).
  if (scan.backslashInName)
    throw invalidValues(text) ?? new Refused('INVALID_JSON', 'the body is not valid JSON');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused('INVALID_JSON', 'the body is not valid JSON');
  }
  if (isPlainJson(value, scan)) return value;
  const refusal = invalidValues(text);
  if (refusal === null) return value;
  throw refusal;
}

/** Null when the text has no such value. */
function invalidValues(text: string): Refused | null {
  let errors;
  try {
    errors = jsonFaults(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    errors = [{ pointer: '', detail: 'is nested too deeply' }];
  }
  const [first] = errors;
  return first === undefined
    ? null
    : new Refused('INVALID_JSON_VALUE', `${first.pointer} ${first.detail}`, { errors });
}
