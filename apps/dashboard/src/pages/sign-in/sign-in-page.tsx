import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { type FormEvent, useEffect } from 'react';
import { ApiRefusal } from '../../api/client.js';
import { getSignInOptions, sessionKey, signIn } from '../../api/session.js';
import { TextField } from '../../components/form.js';
import { Alert, errorText } from '../../components/notices.js';
import { useTitle } from '../../components/use-title.js';
import { returnPath } from '../../domain/return-path.js';
import { useSessionQuery } from '../../session/session-context.js';
import { BrandMark } from '../../shell/brand.js';

const route = getRouteApi('/sign-in');

/** Why the provider's sign-in came back without a session; the codes of `/sign-in?error=`. */
const providerFaults: Readonly<Record<string, string>> = {
  no_access: 'This account has no access to a workspace here. Ask an administrator.',
  expired: 'The sign-in took too long or was begun in another window. Begin again.',
  denied: 'The sign-in was cancelled at the provider.',
  provider: 'The provider could not be reached, or its answer could not be checked. Try again later.',
};

function refusalText(error: unknown): string {
  if (!(error instanceof ApiRefusal)) return errorText(error);
  if (error.code === 'INVALID_CREDENTIALS') return 'E-mail or password is not correct.';
  if (error.status === 429) return `Too many tries. Try again in ${String(error.retryAfter ?? 60)} s.`;
  return errorText(error);
}

export function SignInPage() {
  useTitle('Sign in');
  const { return_to, error: providerError } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const { data: session } = useSessionQuery();
  const options = useQuery({ queryKey: ['sign-in-options'], queryFn: getSignInOptions, staleTime: 60_000 });
  const target = returnPath(return_to);
  const isSignedIn = session !== null && session !== undefined;
  useEffect(() => {
    if (isSignedIn) void router.navigate({ href: target, replace: true });
  }, [isSignedIn, router, target]);
  const enter = useMutation({
    mutationFn: signIn,
    onSuccess: (opened) => queries.setQueryData(sessionKey, opened),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    enter.mutate({ email: String(form.get('email')), password: String(form.get('password')) });
  };
  const oidc = options.data?.oidc ?? null;
  return (
    <main className="door" id="main">
      <form onSubmit={submit} method="post">
        <h1>
          <BrandMark size={40} />
          Sign in to AgentLattice
        </h1>
        <p>Decide what your agents may do.</p>
        {enter.error !== null ? <Alert>{refusalText(enter.error)}</Alert> : null}
        {enter.error === null && providerError !== undefined ? (
          <Alert>{providerFaults[providerError] ?? 'The sign-in at the provider did not succeed.'}</Alert>
        ) : null}
        {oidc === null ? null : (
          <a
            className={options.data?.password === false ? 'btn solid big' : 'btn big'}
            href={`${oidc.start_url}?return_to=${encodeURIComponent(target)}`}
          >
            Sign in with {oidc.name}
          </a>
        )}
        {options.data?.password === false ? null : (
          <>
            <TextField label="E-mail" name="email" type="email" autoComplete="username" required />
            <TextField
              label="Password"
              name="password"
              type="password"
              autoComplete="current-password"
              required
            />
            <button className="btn solid big" type="submit" disabled={enter.isPending}>
              Sign in
            </button>
            <p className="fine">
              First start? E-mail and password are in <code>credentials.json</code>, whose place the start
              command printed.
            </p>
          </>
        )}
      </form>
    </main>
  );
}
