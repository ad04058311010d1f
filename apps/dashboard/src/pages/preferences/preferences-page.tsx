import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { changePassword, sessionKey } from '../../api/session.js';
import { Checkbox, Select, TextField } from '../../components/form.js';
import { Alert, Banner, errorText } from '../../components/notices.js';
import { zoneName } from '../../components/time.js';
import { useTitle } from '../../components/use-title.js';
import { durationText } from '../../domain/time-left.js';
import { clockOffset } from '../../live/server-clock.js';
import { type Preferences, setPreferences, usePreferences } from '../../session/preferences.js';
import { OwnSessions } from './own-sessions.js';

const largestOffsetMs = 30_000;

export function PreferencesPage() {
  useTitle('Preferences');
  const { theme, density, keys, sound } = usePreferences();
  const offset = clockOffset();
  return (
    <>
      <div className="top">
        <h1>Preferences</h1>
      </div>
      <div className="stack narrow">
        <section className="card form" aria-labelledby="look">
          <h2 id="look">
            Look <span className="dim">in this browser</span>
          </h2>
          <Select
            label="Theme"
            value={theme}
            onChange={(event) => setPreferences({ theme: event.currentTarget.value as Preferences['theme'] })}
          >
            <option value="system">As the system</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </Select>
          <Select
            label="Density of the queue"
            value={density}
            onChange={(event) =>
              setPreferences({ density: event.currentTarget.value as Preferences['density'] })
            }
          >
            <option value="comfortable">Comfortable</option>
            <option value="compact">Compact</option>
          </Select>
        </section>
        <section className="card form" aria-labelledby="input">
          <h2 id="input">Keys and sound</h2>
          <Checkbox
            label="Single keys act"
            checked={keys}
            onChange={(event) => setPreferences({ keys: event.currentTarget.checked })}
            help="J and K move, A goes to Approve once, D opens Deny, ? shows all keys. No key decides by itself."
          />
          <Checkbox
            label="Sound in the last minutes"
            checked={sound}
            onChange={(event) => setPreferences({ sound: event.currentTarget.checked })}
            help="One short tone when a waiting request comes into its last minutes."
          />
        </section>
        <section className="card" aria-labelledby="time">
          <h2 id="time">Time</h2>
          <p>Times are in {zoneName()}. Deadlines are judged by the server’s clock.</p>
          {Math.abs(offset) > largestOffsetMs ? (
            <p>
              The clock of this device is {durationText(Math.abs(offset))}{' '}
              {offset > 0 ? 'behind' : 'ahead of'} the server’s. Shown deadlines are corrected for that.
            </p>
          ) : null}
        </section>
        <PasswordForm />
        <OwnSessions />
      </div>
    </>
  );
}

function PasswordForm() {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: changePassword,
    onSuccess: async (session) => {
      queries.setQueryData(sessionKey, session);
      await queries.invalidateQueries({ queryKey: ['sessions'] });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const values = new FormData(form);
    change.mutate(
      {
        current_password: String(values.get('current_password')),
        new_password: String(values.get('new_password')),
      },
      { onSuccess: () => form.reset() },
    );
  };
  return (
    <section className="card" aria-labelledby="password">
      <h2 id="password">Password</h2>
      <form className="form" onSubmit={submit}>
        {change.error === null ? null : <Alert>{errorText(change.error)}</Alert>}
        {change.isSuccess ? (
          <Banner icon="check" role="status">
            <b>The password is changed.</b> Your other sessions have ended.
          </Banner>
        ) : null}
        <TextField
          label="Current password"
          name="current_password"
          type="password"
          autoComplete="current-password"
          required
        />
        <TextField
          label="New password"
          name="new_password"
          type="password"
          autoComplete="new-password"
          required
          minLength={12}
          maxLength={256}
          help="At least 12 characters. Your other sessions end."
        />
        <button className="btn" type="submit" disabled={change.isPending}>
          Change the password
        </button>
      </form>
    </section>
  );
}
