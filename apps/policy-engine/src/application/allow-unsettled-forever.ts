import type { Logger } from '@agentlattice/observability';
import type { ForeverRequests } from '../outbound/forever-requests.js';
import { type ApplyForever, unchangedPolicy } from './apply-forever.js';
import type { IsAdministrator } from './is-administrator.js';

export interface AllowUnsettledForeverPorts {
  readonly requests: Pick<ForeverRequests, 'unsettled' | 'settle'>;
  readonly isAdministrator: IsAdministrator;
  readonly apply: ApplyForever;
  readonly logger: Logger;
}

const pageSize = 100;

/** Applies approvals forever that events recorded and for which no command came. @returns whether there were any */
export const makeAllowUnsettledForever =
  ({ requests, isAdministrator, apply, logger }: AllowUnsettledForeverPorts) =>
  async (): Promise<boolean> => {
    const unsettled = await requests.unsettled(pageSize);
    for (const request of unsettled) {
      const about = { org_id: request.org_id, approval_id: request.approval_id };
      try {
        if (await isAdministrator(request.org_id, request.member_id)) await apply(request);
        else {
          logger.error(
            about,
            'approved forever by a member who is not an administrator; no policy is changed',
          );
          await requests.settle(
            request,
            unchangedPolicy(request, 'Only an administrator approves forever.', null),
          );
        }
      } catch (error) {
        logger.warn({ err: error, ...about }, 'an approval forever could not be applied; it is tried again');
      }
    }
    return unsettled.length > 0;
  };
export type AllowUnsettledForever = ReturnType<typeof makeAllowUnsettledForever>;
