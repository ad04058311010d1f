import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { ApiRefusal } from '../api/client.js';
import { getSession, sessionKey } from '../api/session.js';
import type { Session } from '../api/types.js';
import { noteServerTime } from '../live/server-clock.js';

/** Another tab may have signed in somebody else, or gone on in another workspace. */
export const whoIn = ({ org_id, member }: Session): string => `${org_id} ${member.id}`;

/** Everything that was read in another session. */
export const forgetAnswers = (queries: QueryClient): void => {
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
};

/** The session in the cookie; null when there is none. */
export const sessionQuery = queryOptions({
  queryKey: sessionKey,
  staleTime: Infinity,
  queryFn: async ({ client }) => {
    const sentAt = Date.now();
    const session = await getSession().catch((error: unknown) => {
      if (error instanceof ApiRefusal && error.status === 401) return null;
      throw error;
    });
    noteServerTime(session?.now, { sentAt, cameAt: Date.now() });
    const before = client.getQueryData<Session | null>(sessionKey) ?? null;
    if (before !== null && session !== null && whoIn(before) !== whoIn(session)) forgetAnswers(client);
    return session;
  },
});
