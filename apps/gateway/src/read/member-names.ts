import type { Logger } from '@agentlattice/observability';
import type pg from 'pg';
import type { MemberNames } from '../domain/shown-members.js';

/** How long an answer waits for names. Then it is sent without them, because names must not delay a decision. */
const waitMs = 500;
const maxKept = 10_000;

/** Reads names of members. They are kept in memory, because a membership keeps the name that it was made with. */
export class MemberNameReader {
  /** By workspace and member id; the ones read longest ago come first. */
  private readonly kept = new Map<string, string>();

  constructor(
    private readonly pool: Pick<pg.Pool, 'query'>,
    private readonly logger: Logger,
  ) {}

  /**
   * The names of those members of the workspace. Ids of other workspaces are missing; so are names that the database does not
   * return in time. Never rejects.
   */
  async of(orgId: string, ids: readonly string[]): Promise<MemberNames> {
    const wanted = [...new Set(ids)];
    const missing = wanted.filter((id) => !this.kept.has(keyOf(orgId, id)));
    const read = missing.length === 0 ? new Map<string, string>() : await this.readInTime(orgId, missing);
    return new Map(
      wanted.flatMap((id) => {
        const name = read.get(id) ?? this.kept.get(keyOf(orgId, id));
        return name === undefined ? [] : [[id, name] as const];
      }),
    );
  }

  private async readInTime(orgId: string, ids: readonly string[]): Promise<Map<string, string>> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the database did not answer in time')), waitMs);
    });
    try {
      return await Promise.race([this.read(orgId, ids), late]);
    } catch (error) {
      this.logger.warn({ err: error }, 'names of members cannot be read; answers are sent without them');
      return new Map();
    } finally {
      clearTimeout(timer);
    }
  }

  private async read(orgId: string, ids: readonly string[]): Promise<Map<string, string>> {
    const { rows } = await this.pool.query<{ member_id: string; name: string }>(
      'SELECT member_id, name FROM membership WHERE org_id = $1 AND member_id = ANY($2::text[])',
      [orgId, ids],
    );
    for (const { member_id, name } of rows) this.keep(keyOf(orgId, member_id), name);
    return new Map(rows.map(({ member_id, name }) => [member_id, name]));
  }

  private keep(key: string, name: string): void {
    const [oldest] = this.kept.keys();
    if (this.kept.size >= maxKept && oldest !== undefined) this.kept.delete(oldest);
    this.kept.set(key, name);
  }
}

const keyOf = (orgId: string, memberId: string) => `${orgId}/${memberId}`;
