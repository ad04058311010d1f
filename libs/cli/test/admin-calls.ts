import type { RunningSystem } from '@agentlattice/testkit';

/** Calls a path of the API. @returns the body of the answer, whatever its status */
export type Http = (path: string, body?: unknown, method?: string) => Promise<Record<string, unknown>>;

/** Calls the API with the key of the administrator. @param system is there only once the tests begin */
export const adminCalls =
  (system: () => Pick<RunningSystem, 'baseUrl' | 'credentials'>): Http =>
  async (path, body, method = body === undefined ? 'GET' : 'POST') => {
    const { baseUrl, credentials } = system();
    const response = await fetch(baseUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${credentials.admin.api_key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Record<string, unknown>;
  };
