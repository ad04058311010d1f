import { type CannotDecide, type DecidingOperator, type KeyRef, Refused } from '@agentlattice/contracts';
import type { Approval, KnownApproval } from '../domain/approval.js';
import { keyOfOperator } from '../domain/key-holders.js';
import type { Person } from '../domain/may-decide.js';
import { cannot, type VotingOutlook, votingOutlook } from '../domain/voting-outlook.js';
import { whyNoVote } from '../domain/decide-vote.js';
import type { Members } from '../outbound/members.js';

const longAgo = new Date(0);

/** The operator who reads, judged as one who would vote at one moment. */
export class Viewer {
  private constructor(
    private readonly who: { readonly by: Person; readonly key: KeyRef | null } | CannotDecide,
    readonly now: Date,
  ) {}

  /** An operator whom this service does not know can read and not decide. */
  static async find(
    members: Pick<Members, 'person'>,
    orgId: string,
    operator: DecidingOperator,
    now: Date,
  ): Promise<Viewer> {
    try {
      return new Viewer({ by: await members.person(orgId, operator), key: keyOfOperator(operator) }, now);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const code = error.code === 'UNAVAILABLE' ? 'NOT_KNOWN_YET' : 'NOT_A_MEMBER';
      return new Viewer({ code, text: error.detail }, now);
    }
  }

  /** All that a verdict depends on beside the request and the time. */
  get identity(): string {
    return JSON.stringify(this.who);
  }

  /** Whether the vote would be taken if the deadline were not past. */
  couldDecideInTime(state: KnownApproval): boolean {
    return 'by' in this.who && whyNoVote(state, { ...this.who, now: longAgo }) === null;
  }

  /** @param state null: its history cannot be read */
  outlook(state: Approval | null): VotingOutlook {
    if (state === null || state.status === 'none')
      return cannot({ code: 'OTHER', text: 'the history of the request cannot be read' });
    return 'by' in this.who ? votingOutlook(state, { ...this.who, now: this.now }) : cannot(this.who);
  }
}
