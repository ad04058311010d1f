import type { ForeverRequests } from '../outbound/forever-requests.js';

export interface IsAdministratorPorts {
  readonly requests: Pick<ForeverRequests, 'roleOf'>;
  /** Asks the gateway for the members that are not yet known here. */
  readonly membersCaughtUp: () => Promise<void>;
}

/** Whether a member is an administrator of the workspace. A member who is unknown here is looked up at the gateway once. */
export const makeIsAdministrator =
  ({ requests, membersCaughtUp }: IsAdministratorPorts) =>
  async (orgId: string, memberId: string): Promise<boolean> => {
    const known = await requests.roleOf(orgId, memberId);
    if (known !== null) return known === 'admin';
    await membersCaughtUp();
    return (await requests.roleOf(orgId, memberId)) === 'admin';
  };
export type IsAdministrator = ReturnType<typeof makeIsAdministrator>;
