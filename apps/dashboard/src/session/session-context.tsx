import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { createContext, type ReactNode, useContext, useEffect } from 'react';
import { onSessionDoubted, onSignedOut, setCsrfToken } from '../api/client.js';
import { sessionKey } from '../api/session.js';
import type { Session } from '../api/types.js';
import { ErrorState } from '../components/notices.js';
import { forgetAnswers, sessionQuery, whoIn } from './session-query.js';

const SessionContext = createContext<Session | null>(null);

/** The session of the person who is signed in; for components below `SessionGate`. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('useSession needs a SessionGate');
  return session;
}

export const useIsAdmin = (): boolean => useSession().member.role === 'admin';
export const useMayDecide = (): boolean => useSession().member.role !== 'viewer';

/** The session in the cookie; null when there is none. */
export const useSessionQuery = () => useQuery(sessionQuery);

/** Shows its children to those who are signed in; others sign in first and come back to where they wanted to go. */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient();
  const router = useRouter();
  const { data: session, error, isPending, refetch } = useSessionQuery();
  useEffect(() => {
    onSignedOut(() => queries.setQueryData(sessionKey, null));
    onSessionDoubted(() => void queries.invalidateQueries({ queryKey: sessionKey }));
  }, [queries]);
  useEffect(() => {
    if (session !== null) return;
    forgetAnswers(queries);
    void router.navigate({
      to: '/sign-in',
      search: { return_to: router.state.location.href },
      replace: true,
    });
  }, [session, queries, router]);
  if (isPending) return null;
  if (error !== null && session === undefined)
    return (
      <main className="door" id="main">
        <ErrorState
          error={error}
          title="The dashboard cannot reach the server"
          onRetry={() => void refetch()}
        />
      </main>
    );
  if (session === null || session === undefined) return null;
  // Before the children send anything; the token belongs to this session alone.
  setCsrfToken(session.csrf_token);
  return (
    <SessionContext key={whoIn(session)} value={session}>
      {children}
    </SessionContext>
  );
}
