import type { ReactNode } from 'react';
import { ApiRefusal } from '../api/client.js';
import { Icon, type IconName } from './icon.js';

interface EmptyStateProps {
  readonly icon?: IconName;
  readonly title: string;
  readonly children?: ReactNode;
}

/** Says that there is nothing, and what would fill the place. */
export const EmptyState = ({ icon = 'inbox', title, children }: EmptyStateProps) => (
  <div className="void">
    <Icon name={icon} />
    <b>{title}</b>
    {children}
  </div>
);

/** What a refusal or a missing answer means for the reader. */
export function errorText(error: unknown): string {
  if (error instanceof ApiRefusal) {
    if (error.status === 503) return 'A part of the system is down. Nothing was recorded.';
    return error.problem.detail ?? error.message;
  }
  return error instanceof Error ? `${error.message}.` : 'Something went wrong.';
}

interface ErrorStateProps {
  readonly error: unknown;
  readonly title?: string;
  readonly onRetry?: () => void;
}

export const ErrorState = ({ error, title = 'This could not be loaded', onRetry }: ErrorStateProps) => (
  <div className="void" role="alert">
    <Icon name="warn" />
    <b>{title}</b>
    <span className="soft">{errorText(error)}</span>
    {onRetry === undefined ? null : (
      <button className="btn" type="button" onClick={onRetry}>
        Try again
      </button>
    )}
  </div>
);

interface BannerProps {
  readonly icon: IconName;
  readonly tone?: 'warn';
  readonly role?: 'status' | 'alert';
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

export const Banner = ({ icon, tone, role, children, action }: BannerProps) => (
  <div className={tone === undefined ? 'banner' : `banner ${tone}`} role={role}>
    <Icon name={icon} />
    <span>{children}</span>
    {action}
  </div>
);

/** A refusal beside the form that caused it. */
export const Alert = ({ children }: { readonly children: ReactNode }) => (
  <p className="alert" role="alert">
    <Icon name="warn" />
    <span>{children}</span>
  </p>
);
