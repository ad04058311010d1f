import { Link } from '@tanstack/react-router';
import { Banner } from '../components/notices.js';
import { useMayDecide, useSession } from '../session/session-context.js';

/** The password was set by another person, who could decide in this person's name: it has to be changed before a decision. */
export function PasswordNotice() {
  const { password_change_needed } = useSession();
  const mayDecide = useMayDecide();
  if (!password_change_needed) return null;
  return (
    <Banner
      icon="key"
      tone="warn"
      action={
        <Link className="btn" to="/preferences">
          Choose a password
        </Link>
      }
    >
      <b>Choose your own password.</b> Another person set the current one
      {mayDecide ? '; until you change it, you cannot decide requests.' : '.'}
    </Banner>
  );
}
