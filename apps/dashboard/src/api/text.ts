import { ApiRefusal, NoAnswer, type Problem } from './client.js';

/** Reads an answer that is no JSON: entries of the log, its checkpoint, its key. @throws ApiRefusal, NoAnswer */
export async function fetchText(
  path: string,
  query: Readonly<Record<string, string | number>> = {},
): Promise<string> {
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  const response = await fetch(search.size === 0 ? path : `${path}?${search.toString()}`, {
    credentials: 'same-origin',
  }).catch((cause: unknown) => {
    throw new NoAnswer('The server cannot be reached', { cause });
  });
  const text = await response.text().catch((cause: unknown) => {
    throw new NoAnswer('The answer was cut off', { cause });
  });
  if (response.ok) return text;
  let problem: Problem = {};
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    // An answer of a proxy, for example; the status says enough.
  }
  throw new ApiRefusal(response.status, problem, null);
}
