import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { acceptInvitation, sessionKey } from '../../api/session.js';
import { TextField } from '../../components/form.js';
import { Alert, errorText } from '../../components/notices.js';
import { useTitle } from '../../components/use-title.js';
import { BrandMark } from '../../shell/brand.js';

/** The token stands behind `#`, so that it reaches no server's log. */
const tokenInAddress = () => window.location.hash.slice(1);

export function AcceptInvitationPage() {
  useTitle('Accept the invitation');
  const router = useRouter();
  const queries = useQueryClient();
  const [token] = useState(tokenInAddress);
  const accept = useMutation({
    mutationFn: acceptInvitation,
    onSuccess: async (session) => {
      queries.setQueryData(sessionKey, session);
      await router.navigate({ to: '/approvals', replace: true });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get('name')).trim();
    accept.mutate({ token, password: String(form.get('password')), ...(name === '' ? {} : { name }) });
  };
  return (
    <main className="door" id="main">
      <form onSubmit={submit} method="post">
        <h1>
          <BrandMark size={40} />
          Join the workspace
        </h1>
        <p>Choose a password. Your decisions are recorded under your name.</p>
        {token === '' ? <Alert>The link is not complete. Open it again from the mail.</Alert> : null}
        {accept.error === null ? null : <Alert>{errorText(accept.error)}</Alert>}
        <TextField label="Name" name="name" autoComplete="name" hint="(optional)" maxLength={200} />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          required
          minLength={12}
          maxLength={256}
          help="At least 12 characters. If you have an account here already, its password."
        />
        <button className="btn solid big" type="submit" disabled={accept.isPending || token === ''}>
          Accept the invitation
        </button>
      </form>
    </main>
  );
}
