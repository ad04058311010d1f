import { Refused } from '@agentlattice/contracts';
import { membersOfStandingDecision, type ShownMembers } from '../domain/shown-members.js';
import type { MemberNameReader } from '../read/member-names.js';

/** Puts the names of members beside their ids in an answer. The services that give the answer know ids alone. */
export const makeNameMembers = (names: Pick<MemberNameReader, 'of'>) => {
  const name = async <T>(orgId: string, body: T, { idsIn, withNames }: ShownMembers<T>): Promise<T> => {
    const ids = idsIn(body).filter((id) => id !== null);
    return withNames(body, ids.length === 0 ? new Map() : await names.of(orgId, ids));
  };
  /** The same for the promise of an answer. A refusal that contains the standing decision names the member of it. */
  return async <T>(orgId: string, answer: Promise<T>, shown: ShownMembers<T>): Promise<T> => {
    try {
      return await name(orgId, await answer, shown);
    } catch (error) {
      if (!(error instanceof Refused) || error.extra === undefined) throw error;
      const { code, detail, errors, extra } = error;
      throw new Refused(code, detail, {
        ...(errors === undefined ? {} : { errors }),
        extra: await name(orgId, extra, membersOfStandingDecision),
      });
    }
  };
};
export type NameMembers = ReturnType<typeof makeNameMembers>;
