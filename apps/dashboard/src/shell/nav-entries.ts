import type { IconName } from '../components/icon.js';

export interface NavEntry {
  readonly to: string;
  readonly name: string;
  readonly icon: IconName;
  /** Stays in the bar of a phone; the others are behind More. */
  readonly phone?: boolean;
}

export const navGroups: readonly (readonly NavEntry[])[] = [
  [
    { to: '/approvals', name: 'Approvals', icon: 'inbox', phone: true },
    { to: '/overview', name: 'Overview', icon: 'chart', phone: true },
    { to: '/audit', name: 'Audit log', icon: 'log', phone: true },
    { to: '/policies', name: 'Policies', icon: 'rule' },
  ],
  [
    { to: '/agents', name: 'Agents', icon: 'bot' },
    { to: '/notifications', name: 'Notifications', icon: 'bell' },
    { to: '/members', name: 'Members', icon: 'users1' },
    { to: '/keys', name: 'Keys', icon: 'key' },
  ],
];
